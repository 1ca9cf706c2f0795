// The events of chatcast for TypeScript: the data of each event, the channels it
// comes on, a typed bind, and Resume, which remembers what a page has seen. This package
// does not talk to a server. pusher-js or Laravel Echo does, and neither is imported.
import type { EventMap } from './generated.js';

export type * from './generated.js';
export * from './resume.js';

/** The name of an event. */
export type EventName = keyof EventMap;

/** The data that a handler of the event gets. */
export type EventData<E extends EventName> = EventMap[E];

/** The payload of the event: its data and meta. */
export type Payload<E extends EventName> = EventMap[E]['payload'];

/** An element of the event's payload.data. */
export type Item<E extends EventName> = Payload<E>['data'][number];

/** An event and its name, for a switch over the name. */
export type AnyEvent<E extends EventName = EventName> = { [K in E]: { name: K; data: EventMap[K] } }[E];

const licenseEvents = [
  'message', 'messageStatus', 'messageEdit', 'messageDelete', 'messengerStatus', 'qr', 'chatTag', 'chatStatus', 'chatResponsible',
  'chatResponsiblePin', 'chatProducer', 'chatAccomplice', 'chatAuditor', 'chatLevel', 'chatConversation', 'chatRead',
  'chatProcess', 'chatMerge', 'chatGroup', 'chatPresence', 'chatName', 'contactName', 'contactBlock', 'chatState', 'call', 'instance',
] as const satisfies readonly EventName[];
const companyEvents = ['employeeStatus', 'employeeWorkday', 'companyTag'] as const satisfies readonly EventName[];
const userEvents = ['quickResponseList', 'quickResponse'] as const satisfies readonly EventName[];

/** The events of licenseChannel, and of companyUserChannel. */
export type LicenseEvents = (typeof licenseEvents)[number];

/** The events of companyChannel. */
export type CompanyEvents = (typeof companyEvents)[number];

/** The events of userChannel. */
export type UserEvents = (typeof userEvents)[number];

/** The names of all events. */
export const eventNames: readonly EventName[] = Object.freeze([...licenseEvents, ...companyEvents, ...userEvents]);

const known: ReadonlySet<string> = new Set(eventNames);

/**
 * The events that come on the channel. There are none on a presence channel, which
 * only says who is looking, or on a channel that these types do not know.
 */
export function eventsOn(channel: string): readonly EventName[] {
  if (/^private-v1\.(licenses\.\d+\.messengers\.[^.]+|companies\.\d+\.users\.\d+)$/.test(channel)) return [...licenseEvents];
  if (/^private-v1\.companies\.\d+$/.test(channel)) return [...companyEvents];
  return /^private-v1\.users\.\d+$/.test(channel) ? [...userEvents] : [];
}

/** Says whether these types know an event of that name. */
export function isEvent(name: string): name is EventName {
  return known.has(name);
}

/**
 * An event made of the arguments of a bind_global handler, or undefined if these
 * types do not know its name. Only the name is checked: the data is what the server
 * sent.
 */
export function asEvent(name: string, data: unknown): AnyEvent | undefined {
  return isEvent(name) ? ({ name, data } as AnyEvent) : undefined;
}

export type LicenseChannel = `private-v1.licenses.${number}.messengers.${string}`;
export type CompanyChannel = `private-v1.companies.${number}`;
export type UserChannel = `private-v1.users.${number}`;
export type CompanyUserChannel = `private-v1.companies.${number}.users.${number}`;

/**
 * The channel of a licence's messenger: its messages and chats, for users who may
 * see all of them.
 */
export function licenseChannel(licenseId: number, messengerType: string): LicenseChannel {
  return `private-v1.licenses.${licenseId}.messengers.${messengerType}`;
}

/** The channel of a company: its employees coming online and going offline. */
export function companyChannel(companyId: number): CompanyChannel {
  return `private-v1.companies.${companyId}`;
}

/** The channel of a user: their quick responses. */
export function userChannel(userId: number): UserChannel {
  return `private-v1.users.${userId}`;
}

/** The events of all licences of a company, for the chats that the user may see. */
export function companyUserChannel(companyId: number, userId: number): CompanyUserChannel {
  return `private-v1.companies.${companyId}.users.${userId}`;
}

/** The presence channel beside that of a licence or a company: who is looking. */
export function presenceOf<N extends string>(channel: `private-${N}`): `presence-${N}` {
  return `presence-${channel.slice('private-'.length) as N}`;
}

/** The name for echo.private() and echo.join(), which add the prefix themselves. */
export function echoName<N extends string>(channel: `private-${N}` | `presence-${N}`): N {
  return channel.slice(channel.indexOf('-') + 1) as N;
}

/**
 * The events that pusher-js itself sends to the handlers of a channel, besides the
 * server's events.
 */
export interface SubscriptionEventMap {
  /** The members on a presence channel, else an empty object. */
  'pusher:subscription_succeeded': unknown;
  'pusher:subscription_error': { type: string; error: string; status?: number };
  'pusher:subscription_count': { subscription_count: number };
  'pusher:member_added': { id: string; info: unknown };
  'pusher:member_removed': { id: string; info: unknown };
}

/** What pusher-js passes to handlers besides the data of the server's events. */
export interface Metadata {
  user_id?: string;
}

/** A handler of the event. */
export type Handler<E extends EventName> = (data: EventMap[E], metadata: Metadata) => void;

type SubscriptionHandler<S extends keyof SubscriptionEventMap> = (data: SubscriptionEventMap[S]) => void;

/** A handler of all events, including those that these types do not know. */
export type GlobalHandler = (name: string, data: unknown) => void;

/** What typed needs of a channel. pusher-js 7 and 8 have it. */
export interface PusherChannel {
  readonly name: string;
  // pusher-js itself declares Function and any: a narrower type would not fit.
  bind(event: string, callback: Function, context?: any): unknown;
  unbind(event?: string, callback?: Function, context?: any): unknown;
  bind_global(callback: Function): unknown;
  unbind_global(callback?: Function): unknown;
  unbind_all(): unknown;
}

/** A pusher-js channel whose bind knows the events E. */
export interface TypedChannel<E extends EventName = EventName> {
  readonly name: string;
  bind<K extends E>(event: K, handler: Handler<K>, context?: unknown): this;
  bind<S extends keyof SubscriptionEventMap>(event: S, handler: SubscriptionHandler<S>, context?: unknown): this;
  /**
   * Without a handler it removes all handlers of the event; without an event, all
   * but the global ones.
   */
  unbind<K extends E>(event?: K, handler?: Handler<K>, context?: unknown): this;
  unbind<S extends keyof SubscriptionEventMap>(event: S, handler?: SubscriptionHandler<S>, context?: unknown): this;
  /** The untyped channel, for events that these types do not know. */
  bind_global(handler: GlobalHandler): this;
  unbind_global(handler?: GlobalHandler): this;
  unbind_all(): this;
}

/**
 * The channel with a typed bind. It is the same object: handlers get the arguments of
 * pusher-js, and unbind finds them.
 *
 * typed<LicenseEvents>(channel) knows only the events that come on such a channel.
 */
export function typed<E extends EventName = EventName>(channel: PusherChannel): TypedChannel<E> {
  return channel as unknown as TypedChannel<E>;
}

/** What listen needs of a channel. Those of Laravel Echo have it. */
export interface EchoChannel {
  listen(event: string, callback: CallableFunction): unknown;
  stopListening(event: string, callback?: CallableFunction): unknown;
}

/**
 * Listens for the event on a channel of Laravel Echo. It puts a dot before the
 * name, which keeps Echo from looking for App\Events\message.
 */
export function listen<E extends EventName, C extends EchoChannel>(channel: C, event: E, handler: Handler<E>): C {
  channel.listen(`.${event}`, handler);
  return channel;
}

/** Removes the handler, or all handlers of the event. */
export function stopListening<E extends EventName, C extends EchoChannel>(channel: C, event: E, handler?: Handler<E>): C {
  channel.stopListening(`.${event}`, handler);
  return channel;
}
