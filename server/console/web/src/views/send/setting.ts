// The settings of a line, as data: the form is made from this list. A new one is an entry
// here, and its words in words/line.ts.
import type { Rest } from '../../api';

export type LineSettings = Rest['LineSettings'];

export interface Setting {
  key: keyof LineSettings;
  kind: 'switch' | 'choice' | 'text' | 'seconds' | 'proxy'; // the values of a choice stand with their words
  under?: keyof LineSettings; // what must be true for it to matter
}

export const settings: readonly Setting[] = [
  { key: 'rejectCalls', kind: 'switch' },
  { key: 'rejectText', kind: 'text', under: 'rejectCalls' },
  { key: 'typing', kind: 'choice' },
  { key: 'sendDelay', kind: 'seconds' },
  { key: 'disappearing', kind: 'choice' },
  { key: 'labels', kind: 'switch', under: 'hasLabels' },
  { key: 'receiveStatus', kind: 'switch' },
  { key: 'receiveChannels', kind: 'switch' },
  { key: 'proxy', kind: 'proxy' },
];

/** chosen is the value of a choice's option: null, true, false or a number. */
export function chosen(option: string): unknown {
  return option === '' ? null : JSON.parse(option);
}

/** Proxy is a proxy as a form shows it. password is what was typed; kept: there is one that is shown to nobody. */
export interface Proxy {
  address: string;
  user: string;
  password: string;
  kept: boolean;
}

const hidden = '***'; // what the server shows for a password

export function proxyOf(url: string | null): Proxy {
  const none: Proxy = { address: url ?? '', user: '', password: '', kept: false };
  const at = /^([a-z0-9]+:\/\/)([^@/]*)@(.*)$/.exec(url ?? '');
  if (at === null) return none;
  const [user = '', ...password] = at[2]!.split(':');
  return { address: at[1]! + at[3]!, user: decodeURIComponent(user), password: '', kept: password.join(':') === hidden };
}

/**
 * proxyURL is a proxy as L/settings takes it; null: none. before is what the server has
 * shown. The password of another address or user has to be typed anew.
 */
export function proxyURL(now: Proxy, before: string | null): { url: string | null } | { error: 'again' | 'form' } {
  const address = now.address.trim();
  if (address === '') return { url: null };
  const old = proxyOf(before);
  const same = address === old.address && now.user === old.user;
  if (now.password === '' && old.kept && now.kept) return same ? { url: before } : { error: 'again' };
  const at = /^(https?|socks5):\/\/([^@\s]+)$/.exec(address);
  if (at === null) return { error: 'form' };
  const credentials = now.user === '' && now.password === '' ? '' : `${escape(now.user)}${now.password === '' ? '' : `:${escape(now.password)}`}@`;
  return { url: `${at[1]!}://${credentials}${at[2]!}` };
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** changes is what has to be sent to make the settings what they are in the form. */
export function changes(before: LineSettings, now: LineSettings): Partial<LineSettings> {
  return Object.fromEntries(settings.map((s) => s.key).filter((k) => before[k] !== now[k]).map((k) => [k, now[k]]));
}
