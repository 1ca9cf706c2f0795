// The chats of a line: pages of the list, kept up to date by events. Facts that
// events do not carry (how many messages are unread, who a new customer is) are
// requested from the API chat by chat. There is no polling.
import { effect, signal } from '@preact/signals';
import { call, ApiError, type Rest } from '../../api';
import { onEvent } from '../../log';
import { isWhole } from '../../catchup';
import { catchUp, errorText } from '../../socket';
import type { Catalogue } from './catalogue';
import { applied, chatEventsOf, isAside, type ChatEvent } from './events';
import { chatPath, linePath, type Chat, type Line } from './line';
import { inWords } from './messages';

const pageSize = 30;
const atOnce = 2; // chats requested at the same time
const many = 30; // waiting chats; beyond that the whole list is read again instead
const pause = 250; // milliseconds between two requests for one chat

export type StatusFilter = '' | 'open' | 'close';

export class Chats {
  readonly items = signal<readonly Chat[]>([]);
  readonly state = signal<'loading' | 'ready' | 'failed'>('loading');
  readonly more = signal<'none' | 'some' | 'loading'>('none');
  readonly error = signal('');
  readonly search = signal('');
  readonly status = signal<StatusFilter>('');
  /** The open chat, which need not be in the list. asked is its id as the address spells it. */
  readonly open = signal<{ asked: string; id: string; chat: Chat | null; error: string }>({ asked: '', id: '', chat: null, error: '' });
  /** The last message of each chat, from its event until the chat is read again. */
  readonly heard = new Map<string, string>();

  private list: readonly Chat[] = [];
  private nextPage: string | null = null;
  private round = 0; // of reading the list: a newer one makes an older one void
  private reading: AbortController | null = null;
  private stale = false;
  private readonly wanted = new Set<string>();
  private readonly asking = new Set<string>();
  private frame = 0;
  private readonly end = new AbortController();
  private readonly endings: (() => void)[];

  constructor(readonly line: Line, private readonly catalogue: Catalogue) {
    this.endings = [
      onEvent((e) => {
        if (e.event === 'chatMerge') this.again(); // a shown chat may have another id now
        for (const t of chatEventsOf(line, e.event, e.data)) if (t.event.name !== 'chatPresence') this.take(t.chatId, t.event);
      }),
      // After an outage that the journal could not fill.
      effect(() => {
        if (!isWhole(catchUp.progress.value)) this.again();
      }),
    ];
    void this.load();
  }

  close(): void {
    for (const f of this.endings) f();
    this.end.abort();
    this.reading?.abort();
    cancelAnimationFrame(this.frame);
  }

  /** again reads everything that is shown once more. */
  again(): void {
    void this.load();
    if (this.open.peek().id !== '') this.want(this.open.peek().id);
  }

  /** load reads the first page for the current search. */
  async load(): Promise<void> {
    const round = ++this.round;
    this.reading?.abort();
    this.reading = new AbortController();
    this.stale = false;
    this.error.value = '';
    if (this.list.length === 0) this.state.value = 'loading';
    try {
      const page = await this.page('', this.reading.signal);
      if (round !== this.round) return;
      this.nextPage = page.nextPage;
      this.more.value = page.nextPage === null ? 'none' : 'some';
      this.list = page.items;
      this.show();
      this.state.value = 'ready';
    } catch (e) {
      if (round !== this.round || this.end.signal.aborted) return;
      this.error.value = errorText(e);
      this.state.value = 'failed';
    }
  }

  async loadMore(): Promise<void> {
    if (this.nextPage === null || this.more.peek() !== 'some') return;
    const round = this.round;
    this.more.value = 'loading';
    this.error.value = '';
    try {
      const page = await this.page(`&nextPage=${encodeURIComponent(this.nextPage)}`, this.end.signal);
      if (round !== this.round) return;
      this.nextPage = page.nextPage;
      const there = new Set(this.list.map((c) => c.id));
      this.list = [...this.list, ...page.items.filter((c) => !there.has(c.id))];
      this.show();
    } catch (e) {
      if (!this.end.signal.aborted) this.error.value = errorText(e);
    }
    if (round === this.round) this.more.value = this.nextPage === null ? 'none' : 'some';
  }

  private page(query: string, until: AbortSignal): Promise<{ items: Chat[]; nextPage: string | null }> {
    const status = this.status.peek() && `&status=${this.status.peek()}`;
    const search = this.search.peek() && `&search=${encodeURIComponent(this.search.peek())}`;
    return call('GET', `${linePath(this.line)}/chats?limit=${pageSize}${status}${search}${query}`, undefined, { signal: until });
  }

  /** choose opens a chat; empty: none. */
  choose(id: string): void {
    if (this.open.peek().asked === id) return;
    this.open.value = { asked: id, id, chat: this.list.find((c) => c.id === id) ?? null, error: '' };
    if (id !== '') this.want(id);
  }

  /** put takes in a chat from an answer. */
  put(chat: Chat): void {
    if (this.open.peek().id === chat.id) this.open.value = { ...this.open.peek(), chat, error: '' };
    const there = this.list.some((c) => c.id === chat.id);
    if (!there && !this.passes(chat)) return;
    this.list = there ? this.list.map((c) => (c.id === chat.id ? chat : c)) : [chat, ...this.list];
    this.show();
  }

  private take(id: string, t: ChatEvent): void {
    if (t.name === 'message' && !isAside(t.item)) {
      this.heard.delete(id);
      this.heard.set(id, inWords(t.item.type, t.item.message));
      if (this.heard.size > 2000) this.heard.delete(this.heard.keys().next().value!);
    }
    if (t.name === 'messageDelete' || t.name === 'messageEdit') {
      this.heard.delete(id);
      this.want(id); // it may be the last message
    }
    const known = this.open.peek().id === id ? this.open.peek().chat : this.list.find((c) => c.id === id);
    if (!known) return this.want(id);
    if (t.name === 'message' && !isAside(t.item)) this.list = [...this.list.filter((c) => c.id === id), ...this.list.filter((c) => c.id !== id)]; // before others of the same second
    const next = applied(known, t, this.catalogue.levels.peek());
    if (next !== known) this.put(next);
    if (t.name === 'message' || t.name === 'chatResponsible') this.want(id); // unread may have changed; and the user may no longer see it
  }

  /** want requests the chat's current state. */
  private want(id: string): void {
    if (this.wanted.size >= many) return this.readAgain();
    this.wanted.add(id);
    this.ask();
  }

  private readAgain(): void {
    this.wanted.clear();
    if (this.stale) return;
    this.stale = true;
    setTimeout(() => !this.end.signal.aborted && this.stale && this.again(), 2 * pause);
  }

  private ask(): void {
    for (const id of this.wanted) {
      if (this.asking.size >= atOnce) return;
      if (this.asking.has(id)) continue;
      this.wanted.delete(id);
      this.asking.add(id);
      void this.fetch(id).finally(() => setTimeout(() => {
        this.asking.delete(id);
        if (!this.end.signal.aborted) this.ask();
      }, this.wanted.has(id) ? pause : 0));
    }
  }

  private async fetch(id: string): Promise<void> {
    try {
      const chat = await call<Chat>('GET', chatPath(this.line, id), undefined, { signal: this.end.signal });
      if (chat.id !== id && this.open.peek().id === id) this.open.value = { ...this.open.peek(), id: chat.id }; // another spelling
      // The server does the search, so this page cannot tell whether a new chat
      // matches.
      if (this.search.peek() !== '' && !this.list.some((c) => c.id === chat.id) && this.open.peek().id !== chat.id) return;
      this.put(chat);
    } catch (e) {
      if (this.end.signal.aborted) return;
      const gone = e instanceof ApiError && e.status === 404;
      if (this.open.peek().id === id && (gone || this.open.peek().chat === null)) this.open.value = { ...this.open.peek(), chat: null, error: errorText(e) };
      if (!gone) return;
      this.list = this.list.filter((c) => c.id !== id);
      this.show();
    }
  }

  private passes(chat: Rest['Chat']): boolean {
    return (this.status.peek() === '' || chat.status === this.status.peek()) && this.search.peek() === '';
  }

  // Once a frame, the latest activity first.
  private show(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const status = this.status.peek();
      this.list = this.list.filter((c) => status === '' || c.status === status).sort((a, b) => b.lastTime - a.lastTime);
      this.items.value = this.list;
    });
  }
}
