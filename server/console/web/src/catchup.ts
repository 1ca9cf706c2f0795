// What happened while the page was away, read from the journal (GET /v1/events),
// so that an outage leaves no hole in the list. Live events wait until that is
// done: the list stays in order, and has nothing twice.
import { signal } from '@preact/signals';
import { isEvent } from '@chatcast/events';
import { call, Fault, type Rest } from './api';
import { add, addGap } from './log';

export type Progress =
  | { state: 'idle' }
  | { state: 'reading' }
  | { state: 'done'; missed: number; more: boolean } // more: than is listed
  | { state: 'failed' }; // the journal could not be read, or has forgotten the place

interface Came {
  channel: string;
  event: string;
  data: unknown;
  time: number; // milliseconds
}

const most = 2000; // missed events that are listed
const pageSize = 100;

export class CatchUp {
  readonly progress = signal<Progress>({ state: 'idle' });

  private position = -1; // the last event of the journal that came or was skipped; -1: not known
  private held: Came[] | null = null; // what came live while the gap is open
  private lostAt = 0; // when the gap began
  private round = 0; // of reading: an outage meanwhile makes it void

  reset(): void {
    this.round++;
    this.position = -1;
    this.held = null;
    this.progress.value = { state: 'idle' };
  }

  /** hold begins an outage. */
  hold(): void {
    this.round++;
    if (this.held !== null) return; // the outage goes on
    this.held = [];
    this.lostAt = Date.now();
  }

  /** take is an event that came on a socket. */
  take(channel: string, event: string, data: unknown): void {
    const came = { channel, event, data, time: Date.now() };
    if (this.held !== null) this.held.push(came);
    else this.put(came, false);
  }

  /** settled says that all subscriptions that can be had stand: channels. It closes the gap, if there is one. */
  async settled(channels: string[]): Promise<void> {
    const round = ++this.round;
    if (this.held === null) return this.findPosition(channels);
    const to = Date.now();
    let missed: Came[] = [];
    let more = false;
    let failed = this.position < 0;
    if (!failed && channels.length > 0) {
      this.progress.value = { state: 'reading' };
      try {
        ({ missed, more } = await this.read(channels, round));
      } catch (e) {
        failed = true;
        if (e instanceof Fault && e.status === 409 && round === this.round) this.position = -1; // forgotten, or of another journal
      }
      if (round !== this.round) return; // away again: the next time reads from the same place
    }
    const seen = new Set(missed.map(identity));
    const late = this.held.filter((c) => eventId(c) === null || !seen.has(identity(c)));
    this.held = null;
    addGap({ from: this.lostAt, to, missed: missed.length, more, failed });
    for (const c of missed) this.put(c, true);
    for (const c of late) this.put(c, false);
    this.progress.value = failed ? { state: 'failed' } : { state: 'done', missed: missed.length, more };
    if (this.position < 0) await this.findPosition(channels);
  }

  private async read(channels: string[], round: number): Promise<{ missed: Came[]; more: boolean }> {
    const missed: Came[] = [];
    let more = false;
    for (const channel of channels) {
      for (let after = this.position; round === this.round; ) {
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

  /** findPosition asks how far the journal is, for an outage before the first event. */
  private async findPosition(channels: string[]): Promise<void> {
    const channel = channels[0];
    if (this.position >= 0 || channel === undefined) return;
    try {
      const page = await call<Rest['Events']>('GET', `/v1/events?channel=${encodeURIComponent(channel)}&limit=1`);
      this.position = Math.max(this.position, page.lastId);
    } catch {
      // the first event says it
    }
  }
}

function identity(c: Came): string {
  return `${eventId(c)} ${c.channel}`;
}

/**
 * eventId is payload.meta.eventId, the number in the journal. Only the server's own
 * events have one: whoever may send client- events can write a number in them, and
 * a wrong place in the journal would hide what is missed.
 */
function eventId({ event, data }: Pick<Came, 'event' | 'data'>): number | null {
  if (!isEvent(event)) return null;
  const id = (data as { payload?: { meta?: { eventId?: unknown } } } | null)?.payload?.meta?.eventId;
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : null;
}
