// The conversation of the open chat: pages of its history, and what the events add
// to them. A History belongs to one chat: opening another chat closes it, so that
// no late answer gets into the wrong conversation.
import { signal } from '@preact/signals';
import { call } from '../../api';
import { onEvent } from '../../log';
import { connection, errorText } from '../../socket';
import { chatEventsOf, type ChatEvent } from './events';
import { chatPath, type Line } from './line';
import { idOf, put, applyEvent, type Msg } from './messages';

const pageSize = 40;
const keep = 300; // messages; older ones are read again on scrolling up
const eventTakes = 1000; // milliseconds to wait for an event before the history is read

export class History {
  readonly messages = signal<readonly Msg[]>([]);
  readonly state = signal<'loading' | 'ready' | 'failed'>('loading');
  readonly older = signal<'none' | 'some' | 'loading' | 'failed'>('none');
  readonly error = signal('');
  atEnd = true; // the newest messages are in sight, so old ones may be dropped

  private list: readonly Msg[] = [];
  private nextPage: string | null = null;
  private late: ChatEvent[] = []; // came while a page was read, which may not contain it
  private reading = 0;
  private frame = 0;
  private readonly end = new AbortController();
  private readonly deaf: () => void;

  constructor(private readonly line: Line, private readonly chatId: string) {
    this.deaf = onEvent((e) => {
      for (const t of chatEventsOf(line, e.event, e.data)) if (t.chatId === chatId) this.take(t.event);
    });
    void this.open();
  }

  close(): void {
    this.deaf();
    this.end.abort();
    cancelAnimationFrame(this.frame);
  }

  async open(): Promise<void> {
    this.state.value = 'loading';
    this.error.value = '';
    try {
      const page = await this.page('');
      this.nextPage = page.nextPage;
      this.older.value = page.nextPage === null ? 'none' : 'some';
      this.state.value = 'ready';
    } catch (e) {
      if (this.end.signal.aborted) return;
      this.error.value = errorText(e);
      this.state.value = 'failed';
    }
  }

  /** readOlder adds the page before the oldest message. */
  async readOlder(): Promise<void> {
    if (this.older.peek() === 'loading' || this.older.peek() === 'none') return;
    this.older.value = 'loading';
    try {
      // A page may hold nothing new: it begins at a time, and many messages may
      // share that time.
      for (const before = this.list.length; ; ) {
        const page = await this.page(this.nextPage === null ? this.behindOldest() : `&nextPage=${encodeURIComponent(this.nextPage)}`);
        this.nextPage = page.nextPage;
        if (page.nextPage === null || this.list.length > before) break;
      }
      this.older.value = this.nextPage === null ? 'none' : 'some';
    } catch (e) {
      if (this.end.signal.aborted) return;
      this.error.value = errorText(e);
      this.older.value = 'failed';
    }
  }

  private behindOldest(): string {
    const oldest = this.list[0];
    if (oldest === undefined) return '';
    return oldest.internalId === null ? `&lastTime=${oldest.time}` : `&lastInternalId=${oldest.internalId}`;
  }

  /** readNewest reads the messages that no event brought, because the connection was away. */
  async readNewest(): Promise<void> {
    try {
      await this.page('');
    } catch {
      // the shown messages stay; the banner says that the server is away
    }
  }

  /** expect makes sure that an accepted message appears, by its event or else by the history. */
  expect(id: string): void {
    const wait = connection.peek().state === 'connected' ? eventTakes : 0;
    setTimeout(() => {
      if (!this.end.signal.aborted && !this.list.some((m) => idOf(m) === id)) void this.readNewest();
    }, wait);
  }

  /** saw takes in a message from an answer. */
  saw(m: Msg): void {
    this.set(put(this.list, [m]));
  }

  private async page(query: string): Promise<{ nextPage: string | null }> {
    this.reading++;
    try {
      const path = `${chatPath(this.line, this.chatId)}/messages?limit=${pageSize}${query}`;
      const page = await call<{ items: Msg[]; nextPage: string | null }>('GET', path, undefined, { signal: this.end.signal });
      this.end.signal.throwIfAborted();
      this.set(put(this.list, page.items.toReversed()));
      for (const t of this.late) this.set(applyEvent(this.list, t) ?? this.list);
      return page;
    } finally {
      if (--this.reading === 0) this.late = [];
    }
  }

  private take(t: ChatEvent): void {
    if (this.reading > 0) this.late.push(t);
    try {
      const next = applyEvent(this.list, t);
      if (next !== undefined) this.set(next);
    } catch {
      // the item does not have the shape of its event
    }
  }

  // Once a frame, because a bridge may bring hundreds at a time.
  private set(next: readonly Msg[]): void {
    this.list = next;
    if (this.atEnd && this.reading === 0 && next.length > keep + 50) {
      this.list = next.slice(-keep);
      this.nextPage = null;
      this.older.value = 'some';
    }
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.messages.value = this.list;
    });
  }
}
