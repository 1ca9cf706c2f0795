// A button that copies a text and confirms it.
import { useEffect, useState } from 'preact/hooks';
import { words } from '../words';
import { CopyIcon } from './icons';

export function CopyButton(props: { text: () => string; label?: string; name?: string }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const t = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(t);
  }, [done]);
  return (
    <button class="button small" aria-label={props.name} onClick={() => void copy(props.text()).then(setDone)}>
      <CopyIcon />
      <span aria-live="polite">{done ? words.copied : (props.label ?? words.copy)}</span>
    </button>
  );
}

/** copy puts text into the clipboard. On a page without https, browsers offer only the old way. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.setAttribute('readonly', '');
    area.className = 'visually-hidden';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
