// The rows of the list: the entries that pass the filter, and the outages between
// them. Thousands of events may come in a second, so each is sifted once: only new
// ones are looked at, unless the filter or the list is replaced.
import type { Entry, Gap } from '../../log';

export type Row = Entry | Gap;

export function isGap(r: Row): r is Gap {
  return !('event' in r);
}

export interface Filter {
  readonly hidden: ReadonlySet<string>; // channels that are switched off
  readonly events: ReadonlySet<string>; // the events to show; empty: all
  readonly text: string;
}

export const noFilter: Filter = { hidden: new Set(), events: new Set(), text: '' };

/** parts is how many kinds of conditions the filter has. */
export function parts(f: Filter): number {
  return Number(f.hidden.size > 0) + Number(f.events.size > 0) + Number(f.text.trim() !== '');
}

/**
 * The text is searched for in everything that the row shows and everything that the
 * event carries.
 */
export function passes(e: Entry, f: Filter, summary: (e: Entry) => string): boolean {
  if (f.hidden.has(e.channel)) return false;
  if (f.events.size > 0 && !f.events.has(e.event)) return false;
  const text = f.text.trim().toLowerCase();
  if (text === '') return true;
  if (`${e.event} ${e.channel}`.toLowerCase().includes(text)) return true;
  return summary(e).toLowerCase().includes(text) || json(e.data).toLowerCase().includes(text);
}

function json(data: unknown): string {
  return JSON.stringify(data) ?? '';
}

/** indexAfter is the number of rows with a number up to n. Row numbers rise. */
export function indexAfter(rows: readonly { n: number }[], n: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (rows[mid]!.n <= n) low = mid + 1;
    else high = mid;
  }
  return low;
}

export interface Source {
  readonly entries: readonly Entry[];
  readonly gaps: readonly Gap[];
  readonly generation: number;
}

/** Sieve keeps the filtered rows of a source that grows at its end and is cut at its beginning. */
export class Sieve {
  rows: Row[] = [];
  shown = 0; // how many of the rows are entries

  private filter: Filter | null = null;
  private generation = -1;
  private last = 0; // the number of the newest row looked at
  private oldest = 0; // the number of the source's oldest entry at the last look

  constructor(private readonly summary: (e: Entry) => string) {}

  sift(source: Source, filter: Filter): void {
    if (filter !== this.filter || source.generation !== this.generation) {
      this.rows = [];
      this.shown = 0;
      this.last = 0;
      this.oldest = 0;
      this.filter = filter;
      this.generation = source.generation;
    }
    this.forget(source.entries[0]?.n ?? 0);
    this.append(source, filter);
  }

  /**
   * forget drops the rows that the source has dropped. It makes a new array, so a
   * holder of the old one may keep it.
   */
  private forget(oldest: number): void {
    const before = this.oldest;
    this.oldest = oldest;
    if (before === 0 || oldest <= before) return;
    const cut = indexAfter(this.rows, oldest - 1);
    for (const r of this.rows.slice(0, cut)) if (!isGap(r)) this.shown--;
    this.rows = this.rows.slice(cut);
  }

  private append({ entries, gaps }: Source, filter: Filter): void {
    let gap = indexAfter(gaps, this.last);
    for (let i = indexAfter(entries, this.last); i < entries.length; i++) {
      const e = entries[i]!;
      for (; gap < gaps.length && gaps[gap]!.n < e.n; gap++) this.put(gaps[gap]!);
      this.last = e.n;
      if (!passes(e, filter, this.summary)) continue;
      this.put(e);
      this.shown++;
    }
    for (; gap < gaps.length; gap++) this.put(gaps[gap]!);
  }

  private put(r: Row): void {
    this.rows.push(r);
    this.last = Math.max(this.last, r.n);
  }
}
