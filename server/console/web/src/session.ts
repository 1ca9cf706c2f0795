// Who is signed in.
//
// The tokens are kept in sessionStorage, so that a reload does not ask for the
// password again: it belongs to this tab alone, ends with it, and other origins
// cannot read it. They are in no URL, no cookie and not in localStorage, which
// would outlive the tab. A tab that was duplicated has a copy: the tabs take turns
// at refreshing, and tell each other the new pair, because the old one dies.
import { computed, signal } from '@preact/signals';
import { call, Fault, request, useCredentials, type Rest } from './api';

type Tokens = Rest['TokenPair'];

const place = 'chatcast.session';
const early = 60; // seconds before its end that a token is refreshed

const tokens = signal<Tokens | null>(stored());

export const me = signal<Rest['Me'] | null>(null);
export const licenses = signal<Rest['License'][]>([]);
export const signedIn = computed(() => tokens.value !== null);

/** What there is to say about the end of the last session; notTold: the server does not know of it. */
export const ended = signal<'' | 'expired' | 'closed' | 'notTold'>('');

const sisters = new BroadcastChannel('chatcast.session');
sisters.onmessage = (m: MessageEvent<{ died: string; tokens: Tokens | null }>) => {
  if (tokens.peek()?.refreshToken === m.data.died) keep(m.data.tokens);
};

function stored(): Tokens | null {
  try {
    const text = sessionStorage.getItem(place);
    return text === null ? null : (JSON.parse(text) as Tokens);
  } catch {
    return null;
  }
}

function keep(next: Tokens | null): void {
  tokens.value = next;
  clearTimeout(timer);
  try {
    if (next === null) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, JSON.stringify(next));
  } catch {
    // storage is off: the session lives until the page is left
  }
  if (next !== null) plan(next);
  else me.value = null;
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** plan refreshes the token in time: also when the page only listens, and calls nothing. */
function plan(t: Tokens): void {
  const wait = Math.max(1, t.accessTokenEndTime - Date.now() / 1000 - early);
  timer = setTimeout(() => void refresh(t).catch(() => undefined), Math.min(wait, 86_400) * 1000);
}

export async function signIn(email: string, password: string): Promise<void> {
  const pair = await request<Tokens>('POST', '/v1/tokens', { email, password }, null);
  ended.value = '';
  keep(pair);
  await loadWho();
}

/** signOut ends the tokens on the server. When it cannot be reached they are forgotten here all the same, and that is said. */
export async function signOut(): Promise<void> {
  const t = tokens.peek();
  if (t === null) return;
  ended.value = '';
  try {
    await request('DELETE', '/v1/tokens', undefined, t.accessToken);
  } catch (e) {
    if (!(e instanceof Fault) || e.status === 0 || e.status >= 500) ended.value = 'notTold';
  }
  sisters.postMessage({ died: t.refreshToken, tokens: null });
  keep(null);
}

/** loadWho reads who this is and what they may see. */
export async function loadWho(): Promise<void> {
  const [who, what] = await Promise.all([call<Rest['Me']>('GET', '/v1/me'), call<Rest['License'][]>('GET', '/v1/licenses')]);
  if (tokens.peek() === null) return;
  licenses.value = what;
  me.value = who;
}

/** resume takes up the session of before the reload. */
export async function resume(): Promise<void> {
  const t = tokens.peek();
  if (t === null) return;
  plan(t);
  await loadWho();
}

/** One tab at a time refreshes; the lock is the browser's. */
async function refresh(old: Tokens): Promise<boolean> {
  return locked(async () => {
    const now = tokens.peek();
    if (now === null || now.accessToken !== old.accessToken) return now !== null; // somebody was quicker
    try {
      const next = await request<Tokens>('POST', '/v1/tokens/refresh', { refreshToken: old.refreshToken }, null);
      sisters.postMessage({ died: old.refreshToken, tokens: next });
      if (tokens.peek()?.accessToken === old.accessToken) keep(next);
      return true;
    } catch (e) {
      if (e instanceof Fault && e.status >= 400 && e.status < 500 && e.status !== 429) {
        await Promise.resolve(); // a sister's message may be on its way
        if (tokens.peek()?.accessToken === old.accessToken) expire();
        return tokens.peek() !== null;
      }
      timer = setTimeout(() => void refresh(old).catch(() => undefined), 5000); // not reached: the token may still be good
      throw e;
    }
  });
}

function locked<T>(f: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? (navigator.locks.request('chatcast.refresh', f) as Promise<T>) : f();
}

function expire(): void {
  ended.value = 'expired';
  keep(null);
}

/** closed says that the server closed this user's sockets; the token may have ended with that. */
export async function closed(): Promise<void> {
  try {
    await call('GET', '/v1/tokens/check');
  } catch (e) {
    if (e instanceof Fault && (e.status === 401 || e.status === 403) && tokens.peek() !== null) {
      ended.value = 'closed';
      keep(null);
    }
  }
}

/** The access token of now, for the snippets that show it on demand. */
export function currentToken(): string {
  return tokens.value?.accessToken ?? '';
}

useCredentials({
  async accessToken() {
    const t = tokens.peek();
    if (t === null) return null;
    if (t.accessTokenEndTime - Date.now() / 1000 < 5) await refresh(t).catch(() => undefined);
    return tokens.peek()?.accessToken ?? null;
  },
  async refused(token) {
    const t = tokens.peek();
    if (t === null) return false;
    if (t.accessToken !== token) return true;
    return refresh(t).catch(() => false);
  },
});
