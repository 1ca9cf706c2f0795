// The state of the Live view. It outlives the view: a user who looks into Send and
// comes back finds the filter, the pause and the chosen event as they were.
import { computed, effect, signal } from '@preact/signals';
import { clear, entries, gaps, generation, owner, total, version, type Entry } from '../../log';
import { named, names, namesVersion } from '../../names';
import { noFilter, Sieve, type Filter, type Source } from './rows';
import { summarize } from './summary';

export const filter = signal<Filter>(noFilter);

/** The text of the field. The filter follows when the typing pauses. */
export const typed = signal('');

const typingPause = 150; // milliseconds
let typing: ReturnType<typeof setTimeout> | undefined;

export function type(text: string): void {
  typed.value = text;
  clearTimeout(typing);
  typing = setTimeout(() => {
    if (filter.peek().text !== text) filter.value = { ...filter.peek(), text };
  }, typingPause);
}

export function clearFilter(): void {
  clearTimeout(typing);
  typed.value = '';
  filter.value = noFilter;
}

export function toggle(set: 'hidden' | 'events', name: string): void {
  const next = new Set(filter.peek()[set]);
  if (!next.delete(name)) next.add(name);
  filter.value = { ...filter.peek(), [set]: next };
}

interface Pause {
  source: Source; // the list at that moment: the log goes on, and may drop events on the screen
  total: number;
}

export const paused = signal<Pause | null>(null);

export function togglePause(): void {
  paused.value = paused.peek() === null
    ? { source: { entries: entries().slice(), gaps: gaps(), generation: -2 - generation.peek() }, total: total() }
    : null;
}

/** The number of the event under the cursor; 0: none. */
export const cursor = signal(0);

/** The list that was cleared last and can be restored. */
export const cleared = signal<{ count: number; undo: () => void } | null>(null);

export function clearList(): void {
  const count = entries().length;
  paused.value = null;
  cursor.value = 0;
  if (count > 0) cleared.value = { count, undo: clear() };
}

export function undoClear(): void {
  cleared.peek()?.undo();
  cleared.value = null;
}

/** line is the event's summary for the screen. It also uses names that are learned later. */
export function line(e: Entry): string {
  namesVersion.value; // summarizes again when there are more names
  return summarize(e.event, e.data, named);
}

const sieve = new Sieve((e) => summarize(e.event, e.data, names));

/**
 * shown are the current rows. The array is the same one as it grows; the object
 * around it is not.
 */
export const shown = computed(() => {
  const source: Source = paused.value?.source ?? { entries: entries(), gaps: gaps(), generation: generation.value };
  version.value;
  sieve.sift(source, filter.value);
  return { rows: sieve.rows, shown: sieve.shown, total: source.entries.length, waiting: paused.value === null ? 0 : total() - paused.value.total };
});

// Another user on the same page begins anew, and so does one who comes back after
// signing out.
let whose = 0;

effect(() => {
  if (owner.value === whose) return;
  whose = owner.value;
  clearFilter();
  paused.value = null;
  cleared.value = null;
  cursor.value = 0;
});
