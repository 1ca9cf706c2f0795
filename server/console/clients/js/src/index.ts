// The events of chatcast for TypeScript: what each carries, on which channel it
// comes, and bind that knows it. Nothing here talks to a server; pusher-js or
// Laravel Echo does, and neither is imported.
import type { EventMap } from './generated.js';

export type * from './generated.js';

/** The name of an event. */
export type EventName = keyof EventMap;

/** What a handler of the event is given. */
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
  'chatProcess', 'chatMerge', 'chatPresence',
] as const satisfies readonly EventName[];
const companyEvents = ['employeeStatus', 'employeeWorkday'] as const satisfies readonly EventName[];
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
 * The events that come on the channel: none on a presence channel, which says who is
 * looking, and on a channel that is not one of these.
 */
export function eventsOn(channel: string): readonly EventName[] {
  if (/^private-v1\.(licenses\.\d+\.messengers\.[^.]+|companies\.\d+\.users\.\d+)$/.test(channel)) return [...licenseEvents];
  if (/^private-v1\.companies\.\d+$/.test(channel)) return [...companyEvents];
  return /^private-v1\.users\.\d+$/.test(channel) ? [...userEvents] : [];
}

/** Says whether the name is of an event that these types know. */
export function isEvent(name: string): name is EventName {
  return known.has(name);
}

/**
 * An event out of what bind_global hands over; undefined when these types do not know
 * the name. It looks at the name alone: the data is what the server sent.
 */
export function asEvent(name: string, data: unknown): AnyEvent | undefined {
  return isEvent(name) ? ({ name, data } as AnyEvent) : undefined;
}

export type LicenseChannel = `private-v1.licenses.${number}.messengers.${string}`;
export type CompanyChannel = `private-v1.companies.${number}`;
export type UserChannel = `private-v1.users.${number}`;
export type CompanyUserChannel = `private-v1.companies.${number}.users.${number}`;

/** The channel of a licence's messenger: its messages and chats, for who may see them all. */
export function licenseChannel(licenseId: number, messengerType: string): LicenseChannel {
  return `private-v1.licenses.${licenseId}.messengers.${messengerType}`;
}

/** The channel of a company: its employees' comings and goings. */
export function companyChannel(companyId: number): CompanyChannel {
  return `private-v1.companies.${companyId}`;
}

/** The channel of a user: their quick responses. */
export function userChannel(userId: number): UserChannel {
  return `private-v1.users.${userId}`;
}

/** The events of all licences of a company, of the chats that the user may see. */
export function companyUserChannel(companyId: number, userId: number): CompanyUserChannel {
  return `private-v1.companies.${companyId}.users.${userId}`;
}

/** The presence channel beside a licence's or a company's: who is looking. */
export function presenceOf<N extends string>(channel: `private-${N}`): `presence-${N}` {
  return `presence-${channel.slice('private-'.length) as N}`;
}

/** The name as echo.private() and echo.join() want it, which put the prefix before it themselves. */
export function echoName<N extends string>(channel: `private-${N}` | `presence-${N}`): N {
  return channel.slice(channel.indexOf('-') + 1) as N;
}

/** What pusher-js itself tells the handlers of a channel, beside the server's events. */
export interface SubscriptionEventMap {
  /** On a presence channel its members, else an empty object. */
  'pusher:subscription_succeeded': unknown;
  'pusher:subscription_error': { type: string; error: string; status?: number };
  'pusher:subscription_count': { subscription_count: number };
  'pusher:member_added': { id: string; info: unknown };
  'pusher:member_removed': { id: string; info: unknown };
}

/** What pusher-js hands over beside the data of the server's events. */
export interface Metadata {
  user_id?: string;
}

/** A handler of the event. */
export type Handler<E extends EventName> = (data: EventMap[E], metadata: Metadata) => void;

type SubscriptionHandler<S extends keyof SubscriptionEventMap> = (data: SubscriptionEventMap[S]) => void;

/** A handler of all events, also of those that these types do not know. */
export type GlobalHandler = (name: string, data: unknown) => void;

/** What typed needs of a channel: pusher-js 7 and 8 have it. */
export interface PusherChannel {
  readonly name: string;
  // Function and any are pusher-js's own words: a narrower type here would not fit.
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
  /** Without a handler all handlers of the event go; without an event, all but the global ones. */
  unbind<K extends E>(event?: K, handler?: Handler<K>, context?: unknown): this;
  unbind<S extends keyof SubscriptionEventMap>(event: S, handler?: SubscriptionHandler<S>, context?: unknown): this;
  /** The way to the events that these types do not know. */
  bind_global(handler: GlobalHandler): this;
  unbind_global(handler?: GlobalHandler): this;
  unbind_all(): this;
}

/**
 * The channel with a bind that knows the events. It is the same object: handlers are
 * given what pusher-js gives them, and unbind finds them.
 *
 * typed<LicenseEvents>(channel) knows only the events that come on such a channel.
 */
export function typed<E extends EventName = EventName>(channel: PusherChannel): TypedChannel<E> {
  return channel as unknown as TypedChannel<E>;
}

/** What listen needs of a channel: those of Laravel Echo have it. */
export interface EchoChannel {
  listen(event: string, callback: CallableFunction): unknown;
  stopListening(event: string, callback?: CallableFunction): unknown;
}

/**
 * Listens for the event on a channel of Laravel Echo. The dot that it puts before the
 * name keeps Echo from looking for App\Events\message.
 */
export function listen<E extends EventName, C extends EchoChannel>(channel: C, event: E, handler: Handler<E>): C {
  channel.listen(`.${event}`, handler);
  return channel;
}

/** Takes the handler off again, or all handlers of the event. */
export function stopListening<E extends EventName, C extends EchoChannel>(channel: C, event: E, handler?: Handler<E>): C {
  channel.stopListening(`.${event}`, handler);
  return channel;
}
