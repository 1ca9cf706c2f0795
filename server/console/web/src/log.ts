// The events that this page has seen, newest last, at most keepEntries of them.
// Events come faster than anybody reads, so the list is a plain array. The signal
// version announces changes at most once a frame.
import { signal } from '@preact/signals';

export const keepEntries = 10_000;

export interface Entry {
  readonly n: number; // rising, on this page
  readonly time: number; // when it was received, milliseconds
  readonly channel: string;
  readonly event: string;
  readonly data: unknown;
  readonly eventId: number | null; // in the journal; null: it is not from there
  readonly missed: boolean; // it happened while the page was away, and came from the journal
  readonly earlier?: boolean; // it happened before the page was opened, and was read from the journal
}

/**
 * Gap is an outage at its place in the list: the entries after it came after the outage.
 * The first one may be the beginning of the visit, with earlier events before it.
 */
export interface Gap {
  readonly n: number; // numbered in one sequence with the entries
  readonly from: number; // milliseconds
  readonly to: number;
  readonly channels: readonly string[]; // channels that were away while others were not; none: all were
  readonly missed: number; // events that came from the journal, right after the gap
  readonly dropped: number; // events that were too many to hold until all missed ones had come
  readonly failed: boolean; // it is not known whether the missed events are all there
  readonly begin?: boolean; // it is the beginning of the visit, and no outage
}

const keepGaps = 200;
const keepNames = 200; // of events: apps may send any

let list: Entry[] = [];
let outages: Gap[] = [];
const roomForEarlier = 1000; // numbers
let first = 1; // number of the earlier events
let next = first + roomForEarlier;
let frame = 0;
const listeners = new Map<(e: Entry) => void, boolean>(); // and whether each wants earlier events too

export const version = signal(0);
export const counts = new Map<string, number>(); // by channel, of all events that were ever listed
export const eventCounts = new Map<string, number>(); // by event, likewise
export const owner = signal(0); // the user whose events these are; 0: nobody
export const generation = signal(0); // rises when the list is replaced, not when it grows

/** total is the number of events since the page was opened. */
export const total = () => seen;

let seen = 0;

/** gaps are the outages, newest last. */
export function gaps(): readonly Gap[] {
  return outages;
}

/** entries is the list itself. Read it after version changed. It is replaced rather than cut. */
export function entries(): readonly Entry[] {
  return list;
}

export function add(e: Omit<Entry, 'n'>): Entry {
  const entry = { ...e, n: next++ };
  list.push(entry);
  if (list.length > keepEntries + 1000) cut();
  seen++;
  count(entry);
  for (const f of listeners.keys()) f(entry);
  touch();
  return entry;
}

function count(e: Entry): void {
  counts.set(e.channel, (counts.get(e.channel) ?? 0) + 1);
  const before = eventCounts.get(e.event);
  if (before !== undefined || eventCounts.size < keepNames) eventCounts.set(e.event, (before ?? 0) + 1);
}

/** addEarlier adds events from before the page was opened, oldest first, before all others. */
export function addEarlier(events: readonly Omit<Entry, 'n' | 'missed'>[]): void {
  if (events.length === 0) return;
  const earlier = events.slice(1 - roomForEarlier).map((e, i): Entry => ({ ...e, n: first + i, missed: false, earlier: true }));
  const now = Date.now();
  const begin: Gap = { n: first + earlier.length, from: now, to: now, channels: [], missed: 0, dropped: 0, failed: false, begin: true };
  for (const e of earlier) {
    count(e);
    for (const [f, always] of listeners) if (always) f(e);
  }
  replace([...earlier, ...list], [begin, ...outages]);
}

function cut(): void {
  list = list.slice(-keepEntries);
  const oldest = list[0]!.n;
  if (outages.length > 0) outages = outages.filter((g) => g.n > oldest);
}

/**
 * addGap adds an outage that is over. It must be called before its events from the
 * journal are added.
 */
export function addGap(g: Omit<Gap, 'n'>): void {
  outages = [...outages.slice(1 - keepGaps), { ...g, n: next++ }];
  touch();
}

/** clear empties the list, and returns a function that undoes it. */
export function clear(): () => void {
  const before = { list, outages, owner: owner.peek() };
  replace([], []);
  return () => {
    if (owner.peek() !== before.owner) return;
    replace([...before.list, ...list].slice(-keepEntries), [...before.outages, ...outages].slice(-keepGaps));
  };
}

/**
 * belongTo makes the list that of the user, 0 for nobody, and forgets another
 * user's events. It says whether the list was this user's already.
 */
export function belongTo(user: number): boolean {
  const same = owner.peek() === user;
  if (owner.peek() !== 0 && !same) {
    replace([], []);
    counts.clear();
    eventCounts.clear();
    first = next;
    next += roomForEarlier;
  }
  owner.value = user;
  return same;
}

function replace(entries: Entry[], gaps: Gap[]): void {
  list = entries;
  outages = gaps;
  generation.value++;
  touch();
}

/**
 * onEvent calls f for each event that comes, until the returned function is called.
 * Events from before the page was opened are news to few: what is read from the API is
 * newer.
 */
export function onEvent(f: (e: Entry) => void, earlierToo = false): () => void {
  listeners.set(f, earlierToo);
  return () => listeners.delete(f);
}

// A hidden tab gets no frames. The collected events are shown when the tab is seen
// again, and the list is bounded meanwhile.
function touch(): void {
  if (frame !== 0) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    version.value++;
  });
}
