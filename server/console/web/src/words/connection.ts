// The words about the connection and outages.
import { many, span } from './numbers';

export const socket = {
  off: 'not connected',
  connecting: 'connecting',
  live: 'live',
  waiting: 'connection lost',
  unavailable: 'server unavailable',
  refused: 'closed by the server',
  title: 'Connection',
  open: (state: string) => `Connection: ${state}. Show what pusher-js is doing`,
  since: (time: string) => `since ${time}`,
  socketId: 'Socket',
  retryIn: (seconds: number) => `tries again in ${span(seconds)}`,
  again: 'Connect now',
  trail: 'What pusher-js is doing',
  subscriptions: 'Subscriptions',
  pending: 'subscribing',
  granted: 'live',
  connected: (id: string) => `connected, socket ${id}`,
  retry: (seconds: number) => (seconds > 0 ? `next try in ${span(seconds)}` : 'trying again at once'),
  closed: (code: number, message: string) => (code === 1006 ? 'the connection broke off' : `closed by the server with ${code}${message ? `: ${message}` : ''}`),
  state: (s: string) => s,
  subscribed: (channel: string) => `subscribed to ${channel}`,
  refusal: (status: number, text: string) => `refused${status ? ` (${status})` : ''}${text ? `: ${text}` : ''}`,
  back: (seconds: number) => `back after ${span(seconds)}`,
};

export const outage = {
  away: (seconds: number) => `The connection was lost for ${span(seconds)}.`,
  reading: 'Reading the missed events from the journal…',
  nothing: 'Nothing was missed.',
  missed: (n: number) => `${many(n, 'event', 'events')} came meanwhile; ${n === 1 ? 'it was' : 'they were'} read from the journal.`,
  failed: 'The missed events could not be read from the journal.',
  dropped: (n: number) => `${many(n, 'event was', 'events were')} dropped: too many came at once.`,
};
