// What was missed while the page was away. The server sends it after the page has
// subscribed again, see Resume of @chatcast/events. This file lists it behind a mark,
// before what happened since, so that an outage leaves no hole in the list. An outage
// may also concern a single channel, which got no answer while others did. At the
// beginning it lists the last events of the journal (GET /v1/events).
import { signal } from '@preact/signals';
import { eventId as idOf, isEvent, Resume, type ResumeParams } from '@chatcast/events';
import { call, type Rest } from './api';
import { add, addEarlier, addGap, entries } from './log';

export type Progress =
  | { state: 'idle' }
  | { state: 'reading' }
  | { state: 'done'; missed: number; dropped: number } // dropped: events that were too many to hold
  | { state: 'failed' }; // the journal no longer has what was missed, or it is not known whether all came

/**
 * isWhole says whether the list has all events. If it does, a view that shows more
 * than the list need not be read again.
 */
export function isWhole(p: Progress): boolean {
  return p.state !== 'failed' && (p.state !== 'done' || p.dropped === 0);
}

interface Came {
  channel: string;
  event: string;
  data: unknown;
  time: number; // milliseconds
}

export const keepHeld = 5000; // events; at times up to twice as many
const earlier = 100; // events from before the page was opened
const atOnce = 4; // channels that are read at the same time
export const patience = 10_000; // milliseconds, for an answer and for the next missed event

export class CatchUp {
  readonly progress = signal<Progress>({ state: 'idle' });
  readonly resume = new Resume({
    onResumeFailed: (channel) => this.lost(channel),
    onResumed: (channel, position) => this.resumed(channel, position),
  });

  private held: Came[] | null = null; // what came while the gap is open
  private dropped = 0; // how many of the oldest held events were dropped
  private gap: { from: number; channels: string[] } = { from: 0, channels: [] }; // the open gap; no channels: it concerns all of them
  private round = 0; // of catching up: another outage makes it void
  private life = 0; // rises with each user
  private begun = false; // the earlier events were listed
  private readonly earlier = new Set<string>(); // their identities
  private readonly silences = new Map<string, number>(); // channels without an answer while others are live, and since when
  private readonly positions = new Map<string, number>(); // of the channels that are up to date since they were subscribed to
  private readonly unknown = new Set<string>(); // channels that could not resume: the page or the journal has no position
  private position = -1; // of the journal, when the page began, for channels that got no answer then; -1: not known
  private look = () => {}; // whether all has come that is waited for

  reset(): void {
    this.round++;
    this.life++;
    this.begun = false;
    this.position = -1;
    this.earlier.clear();
    this.resume.forget();
    this.held = null;
    this.silences.clear();
    this.positions.clear();
    this.unknown.clear();
    this.progress.value = { state: 'idle' };
    this.look();
  }

  /** hold begins an outage. */
  hold(): void {
    this.round++;
    if (this.held === null) this.open(Date.now(), []);
    this.gap.channels = []; // all channels are away now
    this.look();
  }

  /** paramsOf are the fields with which a channel is subscribed to. */
  paramsOf(channel: string): ResumeParams {
    this.positions.delete(channel);
    if (this.resume.lastEventId(channel) === undefined && this.position >= 0) this.resume.seen(channel, this.position); // it got no answer from the beginning
    if (this.resume.lastEventId(channel) === undefined) this.unknown.add(channel);
    else this.unknown.delete(channel);
    return this.resume.paramsOf(channel);
  }

  /** silent notes that the request to join the channel gets no answer. */
  silent(channel: string): void {
    if (!this.silences.has(channel)) this.silences.set(channel, this.held === null ? Date.now() : this.gap.from);
  }

  private open(from: number, channels: string[]): void {
    this.held = [];
    this.dropped = 0;
    this.gap = { from, channels };
  }

  private lost(channel: string): void {
    this.unknown.add(channel);
    this.look();
  }

  private resumed(channel: string, position: number): void {
    this.positions.set(channel, position);
    this.look();
  }

  /** take handles an event from a socket. */
  take(channel: string, event: string, data: unknown): void {
    const came = { channel, event, data, time: Date.now() };
    if (this.held === null) return this.put(came, false);
    this.held.push(came);
    if (this.held.length >= 2 * keepHeld) {
      this.dropped += keepHeld;
      this.held = this.held.slice(keepHeld);
    }
    this.look();
  }

  /**
   * settled is called when every subscription has succeeded or failed; channels are
   * those that succeeded. The first time it reads what was before. It closes the gap,
   * if there is one, when what was missed has come.
   */
  async settled(channels: string[]): Promise<void> {
    const round = ++this.round;
    this.look();
    const back = channels.filter((c) => this.silences.has(c));
    if (this.held === null) {
      if (back.length === 0) return this.begun ? undefined : this.begin(channels);
      this.open(Math.min(...back.map((c) => this.silences.get(c)!)), back);
    }
    const to = Date.now();
    const few = this.gap.channels.length > 0;
    if (few) this.gap.channels = back;
    const ends = await this.arrive(few ? back : channels, round);
    if (round !== this.round) return; // away again: that outage includes this one
    const failed = ends === null || (few ? back : channels).some((c) => this.unknown.has(c));
    const isMissed = (c: Came) => (eventId(c) ?? Infinity) <= (ends?.get(c.channel) ?? 0);
    const held = (this.held ?? []).filter((c) => !this.earlier.has(identity(c)));
    const missed = held.filter(isMissed).sort((a, b) => eventId(a)! - eventId(b)!);
    const { dropped } = this;
    this.held = null;
    for (const c of back) this.silences.delete(c);
    addGap({ ...this.gap, to, missed: missed.length, dropped, failed });
    for (const c of missed) this.put(c, true);
    for (const c of held) if (!isMissed(c)) this.put(c, false);
    this.progress.value = failed ? { state: 'failed' } : { state: 'done', missed: missed.length, dropped };
    if (!this.begun) await this.begin(channels);
  }

  /**
   * arrive waits for what the channels missed, and returns the position of each behind it.
   * null: nothing more comes, or the page is away again.
   */
  private async arrive(channels: string[], round: number): Promise<ReadonlyMap<string, number> | null> {
    const resuming = channels.filter((c) => !this.unknown.has(c));
    if (resuming.length === 0) return new Map();
    this.progress.value = { state: 'reading' };
    const there = () => resuming.every((c) => this.unknown.has(c) || this.positions.has(c));
    return new Promise((done) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (result: ReadonlyMap<string, number> | null) => {
        clearTimeout(timer);
        this.look = () => {};
        done(result);
      };
      this.look = () => {
        clearTimeout(timer);
        if (round !== this.round) end(null);
        else if (there()) end(new Map(this.positions));
        else timer = setTimeout(end, patience, null);
      };
      this.look();
    });
  }

  /**
   * begin lists the last events of the journal before all others. Live events do not
   * wait for them.
   */
  private async begin(channels: string[]): Promise<void> {
    const { life } = this;
    const found: Came[] = [];
    const ends = new Map<string, number>();
    await this.readEach(channels, (channel, page) => {
      for (const e of page.items) found.push({ channel, event: e.event, data: e.data, time: e.time * 1000 });
      ends.set(channel, page.lastId);
    });
    if (life !== this.life || ends.size === 0) return; // without them the list begins with the live events
    this.begun = true;
    const there = new Set([...entries(), ...(this.held ?? []).map((c) => ({ ...c, eventId: eventId(c) }))].map((e) => `${e.eventId} ${e.channel}`));
    const last = found.filter((c) => !there.has(identity(c))).sort((a, b) => (eventId(a) ?? 0) - (eventId(b) ?? 0)).slice(-earlier);
    addEarlier(last.map((c) => ({ ...c, eventId: eventId(c) })));
    for (const c of last) this.earlier.add(identity(c));
    if (this.position < 0) this.position = Math.min(...ends.values()); // a channel that was read sooner may lack the newest events
  }

  /** readEach reads the newest events of the channels, of as many as can be read. */
  private async readEach(channels: readonly string[], got: (channel: string, page: Rest['Events']) => void): Promise<void> {
    const rest = [...channels];
    const signal = AbortSignal.timeout(patience);
    const readSome = async () => {
      for (let channel = rest.shift(); channel !== undefined; channel = rest.shift()) {
        got(channel, await call<Rest['Events']>('GET', `/v1/events?channel=${encodeURIComponent(channel)}&newest=true&limit=${earlier}`, undefined, { signal }));
      }
    };
    await Promise.allSettled(Array.from({ length: atOnce }, readSome));
  }

  private put(c: Came, missed: boolean): void {
    add({ ...c, eventId: eventId(c), missed });
  }
}

function identity(c: Came): string {
  return `${eventId(c)} ${c.channel}`;
}

/** eventId is the number in the journal of the server's own events. */
function eventId({ event, data }: Pick<Came, 'event' | 'data'>): number | null {
  return (isEvent(event) ? idOf(event, data) : undefined) ?? null;
}
