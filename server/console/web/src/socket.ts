// The live part: pusher-js, over the same sockets and the same /broadcasting/auth
// as any other page.
import Pusher, { type Channel, type PresenceChannel } from 'pusher-js';
import { signal } from '@preact/signals';
import { companyChannel, companyUserChannel, licenseChannel, presenceOf, userChannel } from '@chatcast/events';
import { admit } from './admission';
import { ApiError, type Rest } from './api';
import { base } from './base';
import { config, loadConfig } from './config';
import { CatchUp } from './catchup';
import { belongTo } from './log';
import { seeIn, seeNobody, type Present } from './presence';
import { closed, left, licenses, me } from './session';
import { words } from './words';

export type State = 'off' | 'connecting' | 'connected' | 'waiting' | 'unavailable' | 'refused';

export interface Connection {
  state: State;
  since: number; // milliseconds
  socketId: string;
  retryAt: number; // when pusher-js tries again, milliseconds; 0: not known
  reason: string; // why it is not connected, in words
}

export interface Subscription {
  channel: string;
  state: 'pending' | 'live' | 'refused';
  reason: string; // why it was refused
}

export interface Outage {
  from: number; // milliseconds
  to: number;
}

export interface Step {
  time: number; // milliseconds
  text: string;
}

const keepSteps = 200;

export const connection = signal<Connection>({ state: 'off', since: Date.now(), socketId: '', retryAt: 0, reason: '' });
export const subscriptions = signal<Subscription[]>([]);
export const steps = signal<Step[]>([]); // what pusher-js did, newest last
export const lastOutage = signal<Outage | null>(null);
export const catchUp = new CatchUp();

let pusher: Pusher | null = null;
let up = false; // the connection is up, or its loss was not noted yet
let lostAt = 0; // when the connection was lost; 0: it is not lost

function step(text: string): void {
  steps.value = [...steps.peek().slice(1 - keepSteps), { time: Date.now(), text }];
}

/**
 * channelsOf are the channels of a user: the lines they may read, their companies,
 * and their own.
 */
export function channelsOf(who: Rest['Me'], lines: Rest['License'][]): string[] {
  const names: string[] = [];
  for (const c of who.companies) {
    if (c.onlyMine) names.push(companyUserChannel(c.id, who.id)); // the lines' channels carry everybody's chats
    else for (const l of lines) if (l.companyId === c.id) for (const m of l.messenger) names.push(licenseChannel(l.licenseId, m.type));
  }
  for (const c of who.companies) names.push(companyChannel(c.id));
  names.push(userChannel(who.id));
  return names;
}

/** start connects and subscribes to the channels that the user may see. */
export function start(): void {
  const who = me.peek();
  const c = config.peek();
  if (who === null || c === null || pusher !== null) return;
  own(who.id);
  const tls = location.protocol === 'https:';
  const port = Number(location.port) || (tls ? 443 : 80);
  pusher = new Pusher(c.key, {
    wsHost: location.hostname, wsPort: port, wssPort: port, forceTLS: tls, cluster: '', enabledTransports: ['ws', 'wss'], wsPath: base,
    channelAuthorization: { endpoint: '/broadcasting/auth', transport: 'ajax', customHandler: authorize },
  });
  catchUp.resume.follow(pusher);
  const conn = pusher.connection;
  conn.bind('state_change', (s: { previous: string; current: string }) => changed(s.current));
  conn.bind('connecting_in', (seconds: number) => {
    lose(); // pusher-js calls itself connected until that time is over
    const before = connection.peek();
    connection.value = { ...before, state: 'waiting', since: before.state === 'connected' ? Date.now() : before.since, retryAt: Date.now() + seconds * 1000 };
    step(words.socket.retry(seconds));
  });
  conn.bind('error', (e: { error?: { data?: { code?: number; message?: string } }; data?: { code?: number; message?: string } }) => {
    const data = e?.error?.data ?? e?.data;
    if (!data?.code) return;
    const reason = words.socket.closed(data.code, data.message ?? '');
    connection.value = { ...connection.peek(), reason };
    step(reason);
  });
  for (const name of channelsOf(who, licenses.peek())) subscribe(name);
  for (const company of who.companies) watchPresence(company.id);
  changed(conn.state);
}

/** own makes the page that of the user, 0 for nobody, and forgets another user's data. */
function own(user: number): void {
  if (belongTo(user)) return;
  lostAt = 0;
  catchUp.reset();
  steps.value = [];
}

// A session that ends by itself can be continued; one that the user ends leaves
// nothing behind.
left.subscribe((times) => {
  if (times === 0) return;
  stop();
  own(0);
});

/**
 * stop disconnects. If the same user comes back, the events since then are read, as
 * after an outage.
 */
export function stop(): void {
  lose();
  const left = pusher;
  pusher = null; // first, because this end is intended and must not be reported
  left?.disconnect();
  left?.unbind_all();
  subscriptions.value = [];
  seeNobody();
  lastOutage.value = null;
  connection.value = { state: 'off', since: Date.now(), socketId: '', retryAt: 0, reason: '' };
}

/** again reconnects at once instead of when pusher-js would. */
export function again(): void {
  pusher?.disconnect();
  pusher?.connect();
}

function authorize(params: { socketId: string; channelName: string }, done: (e: Error | null, data: { auth: string } | null) => void): void {
  const asked = pusher;
  const wanted = () => up && pusher !== null && pusher === asked && pusher.connection.socket_id === params.socketId;
  const troubled = (e: ApiError) => {
    catchUp.silent(params.channelName);
    refuse(params.channelName, e.status, errorText(e));
  };
  admit({ ...params, fields: () => catchUp.paramsOf(params.channelName) }, wanted, troubled).then(
    (answer) => done(null, answer),
    (e: unknown) => done(e instanceof Error ? e : new Error(String(e)), null),
  );
}

function refuse(channel: string, status: number, text: string): void {
  const reason = words.socket.refusal(status, text);
  // The company's presence channel carries no events, so it is not in the list.
  if (subscriptions.peek().some((s) => s.channel === channel)) set({ channel, state: 'refused', reason });
  step(`${channel}: ${reason}`);
}

function changed(current: string): void {
  const now = Date.now();
  const before = connection.peek();
  switch (current) {
    case 'connected': {
      const socketId = pusher?.connection.socket_id ?? '';
      connection.value = { state: 'connected', since: now, socketId, retryAt: 0, reason: '' };
      step(words.socket.connected(socketId));
      up = true;
      if (lostAt !== 0) back(now);
      return;
    }
    case 'connecting':
      connection.value = { ...before, state: 'connecting', since: before.state === 'connecting' ? before.since : now, retryAt: 0 };
      break;
    case 'unavailable':
      connection.value = { ...before, state: 'unavailable' };
      break;
    case 'failed':
    case 'disconnected':
      connection.value = { ...before, state: 'refused', since: now, retryAt: 0 };
      if (pusher !== null) void closed(); // the user may have lost access
      break;
    default:
      return;
  }
  step(words.socket.state(current));
  lose();
}

/** lose begins an outage. */
function lose(): void {
  if (!up) return;
  up = false;
  lostAt = Date.now();
  catchUp.hold();
  subscriptions.value = subscriptions.peek().map((s) => ({ ...s, state: 'pending', reason: '' })); // each is requested again
}

/** back ends an outage. The server may be another build now. */
function back(now: number): void {
  lastOutage.value = { from: lostAt, to: now };
  step(words.socket.back((now - lostAt) / 1000));
  lostAt = 0;
  loadConfig().catch(() => undefined);
}

function subscribe(name: string): void {
  const channel: Channel = pusher!.subscribe(name);
  set({ channel: name, state: 'pending', reason: '' });
  channel.bind('pusher:subscription_succeeded', () => {
    set({ channel: name, state: 'live', reason: '' });
    step(words.socket.subscribed(name));
  });
  channel.bind('pusher:subscription_error', (e: unknown) => {
    const error = e as { status?: number; error?: string };
    refuse(name, error.status ?? 0, error.error ?? '');
  });
  channel.bind_global((event: string, data: unknown) => {
    if (!/^(pusher|pusher_internal|chatcast):/.test(event)) catchUp.take(name, event, data);
  });
}

function set(s: Subscription): void {
  const list = subscriptions.peek();
  subscriptions.value = list.some((o) => o.channel === s.channel) ? list.map((o) => (o.channel === s.channel ? s : o)) : [...list, s];
  const all = subscriptions.peek();
  if (s.state !== 'pending' && all.every((o) => o.state !== 'pending')) {
    void catchUp.settled(all.filter((o) => o.state === 'live').map((o) => o.channel));
  }
}

function watchPresence(companyId: number): void {
  const channel = pusher!.subscribe(presenceOf(companyChannel(companyId))) as PresenceChannel;
  const update = () => {
    const list: Present[] = [];
    channel.members.each((m: { id: string; info?: { name?: string } }) => list.push({ id: m.id, name: m.info?.name ?? m.id }));
    seeIn(companyId, list);
  };
  for (const event of ['pusher:subscription_succeeded', 'pusher:member_added', 'pusher:member_removed']) channel.bind(event, update);
}

/** errorText is an error in words for people. */
export function errorText(e: unknown): string {
  if (!(e instanceof ApiError)) return String(e);
  if (e.status === 0) return words.errors.unreachable;
  if (e.status === 429) return words.errors.throttled(e.retryAfter, /^too many/.test(e.message) ? '' : e.message);
  const fields = Object.entries(e.fields).map(([k, v]) => `${k} ${v}`);
  return fields.length > 0 ? fields.join('; ') : e.message;
}
