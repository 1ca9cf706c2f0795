// Resuming after an outage. The server keeps a journal of its events. A page that says
// which event of a channel it has seen last, when pusher-js asks for authorization, is
// sent what it missed, in order, before the next live event.

/**
 * A place for the last ids, with the methods of localStorage. It may throw: what the
 * page has seen is then remembered in memory alone.
 */
export interface ResumeStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface ResumeOptions {
  /**
   * Whose events these are: the user's id, with the server's address if there are
   * several servers. Each key has ids of its own in the storage.
   */
  key?: string | number;
  /**
   * Where the ids are kept besides memory, from which a later page begins. It should
   * live as long as what the handlers make of the events. The default is memory, for
   * pages that load their state when they open; session is for one tab through its
   * reloads; local is for programs that keep the events themselves, such as in IndexedDB.
   */
  storage?: 'memory' | 'session' | 'local' | ResumeStorage;
  /**
   * Called when the server no longer has what was missed, or does not know the id. The
   * channel is live again, and the page has to load its state: the events up to then are
   * lost to it. oldestEventId is the oldest event that the server has, if any.
   */
  onResumeFailed?: (channel: string, oldestEventId: number | null) => void;
  /**
   * Called after each subscription, when the handlers have had all that was missed.
   * eventId is the channel's position then: no later event has come.
   */
  onResumed?: (channel: string, eventId: number) => void;
}

/**
 * The fields that a request to /broadcasting/auth has. Without an id they tell the server
 * that the page wants to know where its channel begins, so that it can resume from there.
 */
export type ResumeParams = Partial<Record<'last_event_ids' | 'last_event_id' | 'previous_socket_id', string>>;

/** What Resume needs of a client. Those of pusher-js 7 and 8 have it. */
export interface PusherClient {
  // pusher-js itself declares Function and any: a narrower type would not fit.
  readonly connection: {
    socket_id: string;
    bind(event: string, callback: Function, context?: any): unknown;
    unbind(event?: string, callback?: Function, context?: any): unknown;
  };
  channel(name: string): unknown;
  allChannels(): { readonly name: string; readonly subscriptionPending: boolean }[];
}

/** What Resume needs of Laravel Echo, with the broadcasters pusher and reverb. */
export interface EchoClient {
  readonly connector: { readonly pusher: PusherClient };
}

interface Frame {
  event: string;
  channel?: string;
  data?: unknown;
}

const failed = 'chatcast:resume_failed';
const reached = 'chatcast:position'; // it comes behind what was missed, also if that is nothing
const mostBytes = 8000; // of ids in a request: the server reads 16 KiB in all

/**
 * Resume remembers the last event of each channel, or where the channel began, and tells
 * it to the server whenever pusher-js subscribes again:
 *
 *     const resume = new Resume({ key: userId });
 *     const pusher = new Pusher(appKey, {
 *       …,
 *       channelAuthorization: { …, paramsProvider: resume.paramsProvider }, // pusher-js 8
 *       auth: resume.auth({ Authorization: token }),                        // pusher-js 7, Laravel Echo
 *     });
 *     resume.follow(pusher);
 */
export class Resume {
  private readonly ids: Map<string, number>;
  private readonly forgotten = new Set<string>(); // channels that are to begin with live events
  private readonly name: string;
  private readonly storage: ResumeStorage | undefined;
  private readonly onResumeFailed: ResumeOptions['onResumeFailed'];
  private readonly onResumed: ResumeOptions['onResumed'];
  private client: PusherClient | undefined;
  private unfollow: () => void = () => {};
  private socket = ''; // the followed client's, as of its last connection
  private previous = ''; // the one before

  constructor(options: ResumeOptions = {}) {
    this.name = `chatcast.resume:${options.key ?? ''}`;
    this.storage = storageOf(options.storage ?? 'memory');
    this.onResumeFailed = options.onResumeFailed;
    this.onResumed = options.onResumed;
    this.ids = new Map(Object.entries(this.stored()));
  }

  /**
   * Follows all channels of a client of pusher-js or Laravel Echo, and returns a function
   * that ends it. An event counts as seen when its handlers have run. Another client is
   * followed in place of the one before, and continues where that one ended.
   */
  follow(client: PusherClient | EchoClient): () => void {
    this.unfollow();
    const followed = 'connector' in client ? client.connector.pusher : client;
    const { connection } = followed;
    // pusher-js has handlers of these of its own, which were bound before and run first.
    const connected = () => this.connected(connection.socket_id);
    const message = (frame: Frame) => this.take(frame);
    connection.bind('connected', connected);
    connection.bind('message', message);
    this.client = followed;
    if (connection.socket_id) connected();
    const unfollow = () => {
      connection.unbind('connected', connected);
      connection.unbind('message', message);
      if (this.client === followed) this.client = undefined;
    };
    this.unfollow = unfollow;
    return unfollow;
  }

  /** For channelAuthorization of pusher-js 8. It may be passed on without its object. */
  readonly paramsProvider = (): ResumeParams => {
    const ids: Record<string, number | 'now'> = {};
    let bytes = 0;
    let oldest: number | undefined; // of the channels that have no room
    const begins: string[] = [];
    for (const channel of this.inOrderOfNeed()) {
      const id = this.ids.get(channel) ?? 'now';
      if (id === 'now' && !this.forgotten.has(channel)) begins.push(channel);
      bytes += encodeURIComponent(channel).length + String(id).length + 12;
      if (bytes <= mostBytes) ids[channel] = id;
      else if (id !== 'now') oldest = Math.min(id, oldest ?? id);
    }
    if (oldest !== undefined) return this.params({ last_event_ids: JSON.stringify(ids), last_event_id: String(oldest) });
    for (const channel of begins) delete ids[channel]; // it goes without saying
    return this.params({ last_event_ids: JSON.stringify(ids) });
  };

  /** The fields for one channel, for a customHandler or an authorizer of your own. */
  paramsOf(channel: string): ResumeParams {
    const id = this.ids.get(channel);
    if (id !== undefined) return this.params({ last_event_id: String(id) });
    return this.params({ last_event_ids: this.forgotten.has(channel) ? JSON.stringify({ [channel]: 'now' }) : '{}' });
  }

  /**
   * The option auth of pusher-js 7 and Laravel Echo, with headers and fields of your own.
   * Its params are looked up at each authorization, so pass them on as they are: a copy
   * would hold the ids of now.
   */
  auth<H extends Record<string, string>>(headers?: H, params: Record<string, string> = {}): { headers: H; params: Record<string, string> } {
    const now = (): Record<string, string> => ({ ...params, ...this.paramsProvider() });
    return {
      headers: headers ?? ({} as H),
      params: new Proxy({}, {
        ownKeys: () => Object.keys(now()),
        has: (_, key) => key in now(),
        get: (_, key) => now()[key as string],
        getOwnPropertyDescriptor: (_, key) => {
          const value = now()[key as string];
          return value === undefined ? undefined : { value, enumerable: true, configurable: true };
        },
      }),
    };
  }

  /**
   * Notes that the page knows the state of the channel as of an event, such as lastId of
   * GET /v1/events before it loaded its state. 0 is before the first event. An older id
   * changes nothing.
   */
  seen(channel: string, eventId: number): void {
    if (!isPosition(eventId) || eventId <= (this.ids.get(channel) ?? -1)) return;
    this.ids.set(channel, eventId);
    this.forgotten.delete(channel);
    this.store(channel, eventId);
  }

  /** The last event of the channel that was seen, if any. */
  lastEventId(channel: string): number | undefined {
    return this.ids.get(channel);
  }

  /**
   * Forgets the last event of a channel, so that the next subscription begins with live
   * events. Without a channel it forgets all, also in the storage, and follows no longer:
   * that is for signing out.
   */
  forget(channel?: string): void {
    if (channel !== undefined) {
      this.drop(channel);
      this.forgotten.add(channel);
      return;
    }
    this.unfollow();
    this.ids.clear();
    this.forgotten.clear();
    this.socket = this.previous = '';
    try {
      this.storage?.removeItem(this.name);
    } catch {
      // A storage that refuses to be written has nothing of this page.
    }
  }

  private drop(channel: string): void {
    this.ids.delete(channel);
    this.store(channel, undefined);
  }

  private connected(socket: string): void {
    if (socket === this.socket) return;
    this.previous = this.socket;
    this.socket = socket;
  }

  private take({ event, channel, data }: Frame): void {
    if (channel === undefined || !this.client?.channel(channel)) return; // the page has unsubscribed
    if (event === failed) {
      const { oldestEventId, lastEventId } = (data ?? {}) as { oldestEventId?: unknown; lastEventId?: unknown };
      this.drop(channel); // it may be another journal, with smaller ids
      if (isPosition(lastEventId)) this.seen(channel, lastEventId);
      this.onResumeFailed?.(channel, isId(oldestEventId) ? oldestEventId : null);
      return;
    }
    if (event === reached) {
      const position = (data as { eventId?: unknown } | null | undefined)?.eventId;
      if (!isPosition(position)) return;
      this.seen(channel, position);
      this.onResumed?.(channel, position);
      return;
    }
    const id = eventId(event, data);
    if (id !== undefined) this.seen(channel, id);
  }

  // pusher-js subscribes again before it tells that it is connected. The socket that it
  // has then is a new one already.
  private params(ids: ResumeParams): ResumeParams {
    const now = this.client?.connection.socket_id;
    const previous = now && now !== this.socket ? this.socket : this.previous;
    return previous ? { ...ids, previous_socket_id: previous } : ids;
  }

  // pusher-js does not tell which channel it asks for: that is the last one that waits, but
  // for one that was there before and is subscribed to once more. That one may have no room;
  // it then goes on from last_event_id, and gets some events again rather than losing any.
  private inOrderOfNeed(): Set<string> {
    const pending = this.client?.allChannels().filter((c) => c.subscriptionPending) ?? [];
    return new Set([...pending.reverse().map((c) => c.name), ...this.ids.keys(), ...this.forgotten]);
  }

  private stored(): Record<string, number> {
    try {
      const found: unknown = JSON.parse(this.storage?.getItem(this.name) ?? '{}');
      return Object.fromEntries(Object.entries(found ?? {}).filter(([, id]) => isPosition(id)));
    } catch {
      return {};
    }
  }

  // Other tabs may share the storage. What they have seen is newer or older than what this
  // one has; the storage keeps the newer, and this page its own.
  private store(channel: string, id: number | undefined): void {
    if (this.storage === undefined) return;
    const ids = this.stored();
    if (id === undefined) delete ids[channel];
    else if (id <= (ids[channel] ?? -1)) return;
    else ids[channel] = id;
    try {
      this.storage.setItem(this.name, JSON.stringify(ids));
    } catch {
      // It is full. A later page begins at an older event, and misses nothing.
    }
  }
}

/**
 * The number of an event in the journal, if it has one. Events that other pages send
 * have none, whatever they contain: a wrong number would hide missed events.
 */
export function eventId(event: string, data: unknown): number | undefined {
  if (/^(client-|pusher:|pusher_internal:)/.test(event)) return undefined;
  const id = (data as { payload?: { meta?: { eventId?: unknown } | null } | null } | null | undefined)?.payload?.meta?.eventId;
  return isId(id) ? id : undefined;
}

function isId(id: unknown): id is number {
  return isPosition(id) && id > 0;
}

function isPosition(id: unknown): id is number {
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0;
}

function storageOf(kind: NonNullable<ResumeOptions['storage']>): ResumeStorage | undefined {
  if (typeof kind === 'object') return kind;
  if (kind === 'memory') return undefined;
  try {
    return kind === 'local' ? globalThis.localStorage : globalThis.sessionStorage;
  } catch {
    return undefined; // the browser keeps nothing for this page
  }
}
