// Reads from the journal (GET /v1/events): at the beginning the last events, and later
// what was missed while the page was away, so that an outage leaves no hole in the list. An outage may also concern a single
// channel, which got no answer while others did. Live events wait until the journal
// is read, so the list stays in order and has no duplicates.
import { signal } from '@preact/signals';
import { isEvent } from '@chatcast/events';
import { call, ApiError, type Rest } from './api';
import { add, addEarlier, addGap, entries } from './log';

export type Progress =
  | { state: 'idle' }
  | { state: 'reading' }
  | { state: 'done'; missed: number; more: boolean; dropped: number } // more: than are listed; dropped: live events that came meanwhile
  | { state: 'failed' }; // the journal could not be read, or no longer has the position

/**
 * isWhole says whether the list has all events. If it does, a view that shows more
 * than the list need not be read again.
 */
export function isWhole(p: Progress): boolean {
  return p.state !== 'failed' && (p.state !== 'done' || (!p.more && p.dropped === 0));
}

interface Came {
  channel: string;
  event: string;
  data: unknown;
  time: number; // milliseconds
}

/** Silence is the place where a channel fell silent. */
interface Silence {
  after: number; // position in the journal; -1: not known yet
  since: number; // milliseconds
}

const most = 2000; // missed events that are listed
export const keepHeld = 5000; // live events; at times up to twice as many
const pageSize = 100;
const earlier = 100; // events from before the page was opened
const atOnce = 4; // channels that are read at the same time
const patience = 10_000; // milliseconds for the earlier events

export class CatchUp {
  readonly progress = signal<Progress>({ state: 'idle' });

  private position = -1; // the last event of the journal that was received or skipped; -1: not known
  private held: Came[] | null = null; // live events that came while the gap is open
  private dropped = 0; // how many of the oldest held events were dropped
  private gap: { from: number; channels: string[] } = { from: 0, channels: [] }; // the open gap; no channels: it concerns all of them
  private round = 0; // of reading: another outage makes it void
  private life = 0; // rises with each user
  private begun = false; // the earlier events were listed
  private readonly earlier = new Set<string>(); // their identities
  private readonly silences = new Map<string, Silence>(); // channels without an answer while others are live

  reset(): void {
    this.round++;
    this.life++;
    this.begun = false;
    this.earlier.clear();
    this.position = -1;
    this.held = null;
    this.silences.clear();
    this.progress.value = { state: 'idle' };
  }

  /** hold begins an outage. */
  hold(): void {
    this.round++;
    if (this.held === null) this.open(Date.now(), []);
    this.gap.channels = []; // all channels are away now
  }

  /**
   * silent notes that the request to join the channel gets no answer. Once the
   * channel is live, its events since then are read.
   */
  silent(channel: string): void {
    const since = this.held === null ? Date.now() : this.gap.from;
    if (!this.silences.has(channel)) this.silences.set(channel, { after: this.position, since });
  }

  private open(from: number, channels: string[]): void {
    this.held = [];
    this.dropped = 0;
    this.gap = { from, channels };
  }

  /** take handles an event from a socket. */
  take(channel: string, event: string, data: unknown): void {
    const came = { channel, event, data, time: Date.now() };
    if (this.held === null) return this.put(came, false);
    this.held.push(came);
    if (this.held.length < 2 * keepHeld) return;
    this.dropped += keepHeld;
    this.held = this.held.slice(keepHeld);
  }

  /**
   * settled is called when every subscription has succeeded or failed; channels are
   * those that succeeded. The first time it reads what was before. It closes the gap,
   * if there is one.
   */
  async settled(channels: string[]): Promise<void> {
    const round = ++this.round;
    const back = channels.filter((c) => this.silences.has(c));
    if (this.held === null) {
      if (back.length === 0) return this.begun ? this.findPosition(channels) : this.begin(channels);
      this.open(Math.min(...back.map((c) => this.silences.get(c)!.since)), back);
    }
    const to = Date.now();
    const few = this.gap.channels.length > 0;
    if (few) this.gap.channels = back;
    const from = new Map((few ? back : channels).map((c) => [c, this.silences.get(c)?.after ?? this.position]));
    let missed: Came[] = [];
    let more = false;
    let failed = this.position < 0 || [...from.values()].some((after) => after < 0);
    if (!failed && from.size > 0) {
      this.progress.value = { state: 'reading' };
      try {
        ({ missed, more } = await this.read(from, round));
        missed = missed.filter((c) => !this.earlier.has(identity(c)));
      } catch (e) {
        failed = true;
        if (e instanceof ApiError && e.status === 409 && round === this.round) this.position = -1; // the position is too old, or of another journal
      }
      if (round !== this.round) return; // away again: the next time reads from the same place
    }
    const seen = new Set(missed.map(identity));
    const late = (this.held ?? []).filter((c) => eventId(c) === null || !seen.has(identity(c)));
    const { dropped } = this;
    this.held = null;
    for (const c of back) this.silences.delete(c);
    addGap({ ...this.gap, to, missed: missed.length, more, dropped, failed });
    for (const c of missed) this.put(c, true);
    for (const c of late) this.put(c, false);
    this.progress.value = failed ? { state: 'failed' } : { state: 'done', missed: missed.length, more, dropped };
    if (!this.begun) await this.begin(channels);
    else if (this.position < 0) await this.findPosition(channels);
  }

  /**
   * begin lists the last events of the journal before all others. Live events do not
   * wait for them.
   */
  private async begin(channels: string[]): Promise<void> {
    const { life } = this;
    const found: Came[] = [];
    const ends: number[] = [];
    const rest = [...channels];
    const until = AbortSignal.timeout(patience);
    const readSome = async () => {
      for (let channel = rest.shift(); channel !== undefined; channel = rest.shift()) {
        const page = await call<Rest['Events']>('GET', `/v1/events?channel=${encodeURIComponent(channel)}&newest=true&limit=${earlier}`, undefined, { signal: until });
        for (const e of page.items) found.push({ channel, event: e.event, data: e.data, time: e.time * 1000 });
        ends.push(page.lastId);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, () => readSome().catch(() => undefined)));
    if (life !== this.life || ends.length === 0) return; // without them the list begins with the live events
    this.begun = true;
    const there = new Set([...entries(), ...(this.held ?? []).map((c) => ({ ...c, eventId: eventId(c) }))].map((e) => `${e.eventId} ${e.channel}`));
    const last = found.filter((c) => !there.has(identity(c))).sort((a, b) => (eventId(a) ?? 0) - (eventId(b) ?? 0)).slice(-earlier);
    addEarlier(last.map((c) => ({ ...c, eventId: eventId(c) })));
    for (const c of last) this.earlier.add(identity(c));
    this.position = Math.max(this.position, Math.min(...ends)); // a channel that was read sooner may lack the newest events
    for (const s of this.silences.values()) if (s.after < 0) s.after = this.position;
  }

  private async read(from: ReadonlyMap<string, number>, round: number): Promise<{ missed: Came[]; more: boolean }> {
    const missed: Came[] = [];
    let more = false;
    for (const [channel, place] of from) {
      for (let after = place; round === this.round; ) {
        const page = await call<Rest['Events']>('GET', `/v1/events?channel=${encodeURIComponent(channel)}&after=${after}&limit=${pageSize}`);
        for (const e of page.items) missed.push({ channel, event: e.event, data: e.data, time: e.time * 1000 });
        if (page.items.length < pageSize) break;
        if (missed.length >= most) {
          more = true;
          break;
        }
        after = page.nextAfter;
      }
    }
    return { missed: missed.sort((a, b) => (eventId(a) ?? 0) - (eventId(b) ?? 0)), more };
  }

  private put(c: Came, missed: boolean): void {
    const id = eventId(c);
    if (id !== null && id > this.position) this.position = id;
    add({ ...c, eventId: id, missed });
  }

  /** findPosition reads the journal's last id, for an outage before the first event. */
  private async findPosition(channels: string[]): Promise<void> {
    const channel = channels[0];
    if (this.position >= 0 || channel === undefined) return;
    try {
      const page = await call<Rest['Events']>('GET', `/v1/events?channel=${encodeURIComponent(channel)}&limit=1`);
      this.position = Math.max(this.position, page.lastId);
    } catch {
      return; // the first event will give it
    }
    for (const s of this.silences.values()) if (s.after < 0) s.after = this.position;
  }
}

function identity(c: Came): string {
  return `${eventId(c)} ${c.channel}`;
}

/**
 * eventId is payload.meta.eventId, the number in the journal. It is read only from
 * the server's own events: anyone who may send client- events can write a number in
 * them, and a wrong position in the journal would hide missed events.
 */
function eventId({ event, data }: Pick<Came, 'event' | 'data'>): number | null {
  if (!isEvent(event)) return null;
  const id = (data as { payload?: { meta?: { eventId?: unknown } } } | null)?.payload?.meta?.eventId;
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : null;
}
