// The events that this page has seen, the newest last, at most keepEntries of
// them. Events come faster than anybody reads: the list is a plain array, and
// those who show it are told of changes once a frame, by the signal version.
import { signal } from '@preact/signals';

export const keepEntries = 10_000;

export interface Entry {
  readonly n: number; // of this page, rising
  readonly time: number; // when it came, milliseconds
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  readonly eventId: number | null; // in the journal; null: it is not from there
  readonly missed: boolean; // it happened while the page was away, and was read from the journal
}

let list: Entry[] = [];
let next = 1;
let frame = 0;
const listeners = new Set<(e: Entry) => void>();

export const version = signal(0);
export const counts = new Map<string, number>(); // by channel, since the page was opened

/** entries is the list itself: read it, after version changed; it is replaced rather than cut. */
export function entries(): readonly Entry[] {
  return list;
}

export function add(e: Omit<Entry, 'n'>): Entry {
  const entry = { ...e, n: next++ };
  list.push(entry);
  if (list.length > keepEntries + 1000) list = list.slice(-keepEntries);
  counts.set(e.channel, (counts.get(e.channel) ?? 0) + 1);
  for (const f of listeners) f(entry);
  touch();
  return entry;
}

export function clear(): void {
  list = [];
  touch();
}

/** onEvent calls f for each event that comes, until the function it returns is called. */
export function onEvent(f: (e: Entry) => void): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

// A hidden tab gets no frames; what it has collected is shown when it is seen
// again, and the list is bounded meanwhile.
function touch(): void {
  if (frame !== 0) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    version.value++;
  });
}
