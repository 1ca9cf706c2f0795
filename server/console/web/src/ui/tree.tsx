// A JSON value as a foldable tree with the keys of the WAI-ARIA tree pattern:
// arrows move, fold and unfold. One line is in the Tab order. The actions for the
// line under the cursor stand below the tree.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { words } from '../words';
import { CopyButton } from './copy';
import { indent, longText, nodes, pathText, preview, type Folds, type Node } from './nodes';

const folded: Folds = { open: new Map(), pages: new Map() };

export function Tree(props: { value: unknown; label: string }) {
  const [folds, setFolds] = useState(folded);
  const [cursor, setCursor] = useState('[]');
  const box = useRef<HTMLUListElement>(null);
  const moved = useRef(false);
  useEffect(() => {
    setFolds(folded);
    setCursor('[]');
  }, [props.value]);
  const all = useMemo(() => nodes(props.value, folds), [props.value, folds]);
  const at = Math.max(0, all.findIndex((n) => n.key === cursor));
  const here = all[at]!;
  useLayoutEffect(() => { // before the next key, which may be down already
    if (moved.current) box.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
    moved.current = false;
  }, [cursor, folds]);

  function go(to: Node | undefined) {
    if (to === undefined) return;
    moved.current = true;
    setCursor(to.key);
  }
  function fold(n: Node, open: boolean) {
    if (n.foldable && n.open !== open) setFolds({ ...folds, open: new Map(folds.open).set(n.key, open) });
  }
  function act(n: Node) {
    setCursor(n.key);
    if (n.rest === 0) return fold(n, !n.open);
    moved.current = true; // the focused line is replaced by another one
    const key = JSON.stringify(n.path);
    setFolds({ ...folds, pages: new Map(folds.pages).set(key, (folds.pages.get(key) ?? 1) + 1) });
  }
  const parent = () => all.slice(0, at).findLast((n) => n.level < here.level);
  const keys: Record<string, () => void> = {
    ArrowDown: () => go(all[at + 1]),
    ArrowUp: () => go(all[at - 1]),
    Home: () => go(all[0]),
    End: () => go(all.at(-1)),
    ArrowRight: () => (here.open ? go(all[at + 1]?.level === here.level + 1 ? all[at + 1] : undefined) : fold(here, true)),
    ArrowLeft: () => (here.open ? fold(here, false) : go(parent())),
    Enter: () => act(here),
    ' ': () => act(here),
  };

  return (
    <div class="tree-box">
      <ul
        ref={box} class="tree" role="tree" aria-label={props.label}
        onKeyDown={(e) => {
          const act = e.ctrlKey || e.metaKey || e.altKey ? undefined : keys[e.key];
          if (act === undefined) return;
          e.preventDefault();
          e.stopPropagation(); // these keys mean something else on the page
          act();
        }}
      >
        {all.map((n) => <Line key={n.key} node={n} current={n === here} act={act} />)}
      </ul>
      <p class="tree-bar">
        <code class="break">{pathText(here.path) || words.tree.root}</code>
        <span class="row">
          <CopyButton label={words.live.detail.copyPath} text={() => pathText(here.path)} />
          <CopyButton label={words.live.detail.copyValue} text={() => valueText(valueAt(props.value, here))} />
        </span>
      </p>
    </div>
  );
}

function valueAt(root: unknown, n: Node): unknown {
  return n.path.reduce<unknown>((v, step) => (v as Record<string | number, unknown>)[step], root);
}

function valueText(v: unknown): string {
  return typeof v === 'string' ? v : (JSON.stringify(v, null, 2) ?? '');
}

function Line(props: { node: Node; current: boolean; act: (n: Node) => void }) {
  const n = props.node;
  return (
    <li
      role="treeitem" aria-level={n.level} aria-posinset={n.position} aria-setsize={n.siblings} aria-selected={props.current}
      aria-expanded={n.foldable ? n.open : undefined} tabIndex={props.current ? 0 : -1}
      style={{ paddingInlineStart: `${indent(n.level)}px` }} onClick={() => props.act(n)}
    >
      {n.foldable && <span class="twist" aria-hidden="true" />}
      {n.rest > 0 ? <span class="link">{words.tree.rest(n.rest)}</span> : <>
        {n.name !== '' && <span class="key">{n.name}: </span>}
        <Value node={n} />
      </>}
    </li>
  );
}

function Value({ node }: { node: Node }) {
  const v = node.value;
  if (typeof v === 'string') {
    if (!node.foldable) return <span class="string">{JSON.stringify(v)}</span>;
    return (
      <span class="string">
        {JSON.stringify(node.open ? v : v.slice(0, longText) + '…')} <span class="link">{node.open ? words.tree.less : words.tree.all(v.length)}</span>
      </span>
    );
  }
  if (typeof v !== 'object' || v === null) return <span class={v === null ? 'null' : typeof v}>{String(v)}</span>;
  const n = Object.keys(v).length;
  if (node.open || n === 0) return <span class="muted">{Array.isArray(v) ? (n === 0 ? '[]' : words.tree.items(n)) : n === 0 ? '{}' : words.tree.keys(n)}</span>;
  return <span class="muted">{preview(v)}</span>;
}
