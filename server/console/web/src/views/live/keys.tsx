// The keys of the view. Single keys disturb people who control the computer by
// voice, so they can be switched off.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';

const place = 'chatcast.keys';

function stored(): boolean {
  try {
    return localStorage.getItem(place) !== 'off';
  } catch {
    return true;
  }
}

const on = signal(stored());

function set(value: boolean): void {
  on.value = value;
  try {
    localStorage.setItem(place, value ? 'on' : 'off');
  } catch {
    // storage is off: the choice holds for this page only
  }
}

export interface Actions {
  search(): void;
  clearFilter(): void;
  pause(): void;
  move(by: number): void;
  open(): void;
  close(): void;
  help(): void;
}

/** useKeys runs the actions by the page's keys, unless somebody is typing or a dialog is open. */
export function useKeys(actions: Actions): void {
  useEffect(() => {
    const pressed = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]') !== null) return;
      const act = action(e, actions);
      if (act === null) return;
      e.preventDefault();
      act();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  });
}

function action(e: KeyboardEvent, a: Actions): (() => void) | null {
  const target = e.target as HTMLElement;
  if (target.closest('input, textarea, select, [contenteditable]') !== null) return null;
  const free = target === document.body || target.closest('[role="listbox"], main') === target; // no control there needs Enter and Space itself
  switch (e.key) {
    case 'Escape': return a.close;
    case 'ArrowDown': return free ? () => a.move(1) : null;
    case 'ArrowUp': return free ? () => a.move(-1) : null;
    case 'Home': return free ? () => a.move(-Infinity) : null;
    case 'End': return free ? () => a.move(Infinity) : null;
    case 'Enter': return free ? a.open : null;
  }
  if (!on.value) return null;
  if (e.key === ' ') return free ? a.pause : null;
  switch (letter(e)) {
    case '/': return a.search;
    case 'x': return a.clearFilter;
    case 'p': return a.pause;
    case 'j': return () => a.move(1);
    case 'k': return () => a.move(-1);
    case '?': return a.help;
  }
  return null;
}

/**
 * letter is the key's character, or the Latin letter of its place if the keyboard
 * writes another script.
 */
function letter(e: KeyboardEvent): string {
  if (/^[ -~]$/.test(e.key) && !/^[.,]$/.test(e.key)) return e.key.toLowerCase();
  if (e.code === 'Slash') return e.shiftKey ? '?' : '/';
  return e.code.startsWith('Key') ? e.code.slice(3).toLowerCase() : '';
}

export function KeysSheet(props: { onClose: () => void }) {
  return (
    <Sheet title={words.live.shortcuts.title} onClose={props.onClose}>
      <table class="live-keys">
        <tbody>
          {words.live.shortcuts.list.map(([key, does]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{does}</td></tr>)}
        </tbody>
      </table>
      <label class="check"><input type="checkbox" checked={on.value} onChange={(e) => set(e.currentTarget.checked)} /> {words.live.shortcuts.on}</label>
    </Sheet>
  );
}
