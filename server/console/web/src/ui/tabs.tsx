// Tabs according to the ARIA practices: one tab is in the Tab order, and the arrow
// keys move to the others.
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

interface Props<T extends string> {
  label: string;
  tabs: readonly { id: T; name: string }[];
  current: T;
  onSelect: (id: T) => void;
  children: ComponentChildren; // the panel of the current tab
}

export function Tabs<T extends string>(props: Props<T>) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const at = props.tabs.findIndex((t) => t.id === props.current);
  const go = (e: KeyboardEvent) => {
    const n = props.tabs.length;
    const to = { ArrowRight: (at + 1) % n, ArrowLeft: (at + n - 1) % n, Home: 0, End: n - 1 }[e.key];
    const tab = to === undefined ? undefined : props.tabs[to];
    if (to === undefined || tab === undefined) return;
    e.preventDefault();
    props.onSelect(tab.id);
    (list.current?.children[to] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tablist" role="tablist" aria-label={props.label} ref={list} onKeyDown={go}>
        {props.tabs.map((t) => (
          <button
            key={t.id} class="tab" role="tab" id={`${base}-${t.id}`} aria-controls={`${base}-panel`} aria-selected={t.id === props.current}
            tabIndex={t.id === props.current ? 0 : -1} onClick={() => props.onSelect(t.id)}
          >
            {t.name}
          </button>
        ))}
      </div>
      <div class="tabpanel" role="tabpanel" id={`${base}-panel`} aria-labelledby={`${base}-${props.current}`}>{props.children}</div>
    </div>
  );
}
