// The session of the signed-in user.
//
// The tokens are kept in sessionStorage, so that a reload does not ask for the
// password again. That storage belongs to this tab alone, ends with it, and cannot
// be read by other origins. The tokens are never in a URL, a cookie or
// localStorage, which would outlive the tab. A duplicated tab has a copy of the
// tokens. Such tabs take turns at refreshing and send each other the new pair,
// because the old one becomes invalid.
import { computed, signal } from '@preact/signals';
import { call, ApiError, request, serverTime, useCredentials, type Rest } from './api';

type Tokens = Rest['TokenPair'];

const place = 'chatcast.session';
const early = 60; // a token is refreshed so many seconds before its end
const spread = 'locks' in navigator ? 0 : Math.random() * 60; // seconds: without locks, tabs with the same tokens must not refresh at once, which would end the session
const patience = 15_000; // milliseconds to wait for an answer about tokens: other calls wait for it
const messageTakes = 500; // milliseconds that a message from another tab may take

const tokens = signal<Tokens | null>(stored());

export const me = signal<Rest['Me'] | null>(null);
export const licenses = signal<Rest['License'][]>([]);
export const signedIn = computed(() => tokens.value !== null);

/** isAdmin says whether the user is an owner or admin of the company. */
export function isAdmin(companyId: number): boolean {
  const role = me.value?.companies.find((c) => c.id === companyId)?.role;
  return role === 'owner' || role === 'admin';
}

/** Why the last session ended; notTold: the server was not told of the sign-out. */
export const ended = signal<'' | 'expired' | 'closed' | 'notTold'>('');

/** It rises when the user signs out by choice, here or in a copy of this tab. */
export const left = signal(0);

const sisters = new BroadcastChannel('chatcast.session');
sisters.onmessage = (m: MessageEvent<{ died: string; tokens: Tokens | null }>) => {
  if (tokens.peek()?.refreshToken !== m.data.died) return;
  keep(m.data.tokens);
  if (m.data.tokens === null) left.value++;
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

/** plan refreshes the token in time, also when the page only listens and makes no calls. */
function plan(t: Tokens): void {
  const wait = Math.max(1, t.accessTokenEndTime - serverTime() - early - spread);
  refreshIn(Math.min(wait, 86_400) * 1000, t);
}

function refreshIn(ms: number, t: Tokens): void {
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(t).catch(() => undefined), ms);
}

/**
 * signIn starts the session only when it knows the user: without that, the page has
 * nothing to show.
 */
export async function signIn(email: string, password: string, code = ''): Promise<void> {
  const pair = await ask<Tokens>('POST', '/v1/tokens', code === '' ? { email, password } : { email, password, code });
  let who: Rest['Me'], what: Rest['License'][];
  try {
    [who, what] = await know((path) => request('GET', path, undefined, pair.accessToken));
  } catch (e) {
    void end(pair).catch(() => undefined);
    throw e;
  }
  ended.value = '';
  keep(pair);
  licenses.value = what;
  me.value = who;
}

/**
 * know reads the user and their licences. A user who must set up a second factor first
 * may see nothing but themselves.
 */
async function know(get: <T>(path: string) => Promise<T>): Promise<[Rest['Me'], Rest['License'][]]> {
  const who = await get<Rest['Me']>('/v1/me');
  return [who, who.totp === 'required' ? [] : await get<Rest['License'][]>('/v1/licenses')];
}

/** ask sends a request about tokens. */
function ask<T>(method: string, path: string, body: unknown, token: string | null = null): Promise<T> {
  return request<T>(method, path, body, token, { signal: AbortSignal.timeout(patience) });
}

/**
 * signOut ends the tokens on the server. If the server cannot be reached, the
 * tokens are forgotten here all the same, and the page says so. A refresh in
 * progress is awaited first: otherwise it would leave a valid pair behind.
 */
export async function signOut(): Promise<void> {
  await locked(async () => {
    const t = tokens.peek();
    if (t === null) return;
    ended.value = '';
    try {
      await end(t);
    } catch (e) {
      if (!isRefused(e)) ended.value = 'notTold';
    }
    sisters.postMessage({ died: t.refreshToken, tokens: null });
    keep(null);
    left.value++;
  });
}

/**
 * end ends a pair on the server. An expired access token cannot end its pair, so
 * the refresh token first gets one that can.
 */
async function end(t: Tokens): Promise<void> {
  try {
    await ask('DELETE', '/v1/tokens', undefined, t.accessToken);
  } catch (e) {
    if (!isRefused(e)) throw e;
    const next = await ask<Tokens>('POST', '/v1/tokens/refresh', { refreshToken: t.refreshToken });
    await ask('DELETE', '/v1/tokens', undefined, next.accessToken);
  }
}

/** isRefused says whether the server refuses the token for good. */
function isRefused(e: unknown): boolean {
  return e instanceof ApiError && e.status >= 400 && e.status < 500 && e.status !== 429;
}

/** loadWho reads the user and their licences. */
export async function loadWho(): Promise<void> {
  const [who, what] = await know((path) => call('GET', path));
  if (tokens.peek()?.cabinetUserId !== who.id) return;
  licenses.value = what;
  me.value = who;
}

/** resume continues the session after a reload. */
export async function resume(): Promise<void> {
  const t = tokens.peek();
  if (t === null) return;
  plan(t);
  await loadWho();
}

let refreshing: Promise<boolean> | null = null;

/**
 * refresh gets a new token, and says whether there is one. Concurrent callers share
 * the same answer.
 */
function refresh(old: Tokens): Promise<boolean> {
  refreshing ??= exchange(old).finally(() => (refreshing = null));
  return refreshing;
}

/** Only one tab at a time exchanges the tokens. */
function exchange(old: Tokens): Promise<boolean> {
  return locked(async () => {
    const now = tokens.peek();
    if (now === null || now.accessToken !== old.accessToken) return now !== null; // another tab or call was quicker
    try {
      const next = await ask<Tokens>('POST', '/v1/tokens/refresh', { refreshToken: old.refreshToken });
      sisters.postMessage({ died: old.refreshToken, tokens: next });
      if (tokens.peek()?.accessToken === old.accessToken) keep(next);
      return true;
    } catch (e) {
      if (isRefused(e)) {
        await replaced(old); // a message from another tab may be on its way
        if (tokens.peek()?.accessToken === old.accessToken) expire();
        return tokens.peek() !== null;
      }
      refreshIn(5000, old); // not reached: the token may still be valid
      throw e;
    }
  });
}

/** replaced waits a moment for tokens other than old. */
function replaced(old: Tokens): Promise<void> {
  return new Promise((done) => {
    const late = setTimeout(finish, messageTakes);
    const stop = tokens.subscribe((now) => now?.accessToken !== old.accessToken && queueMicrotask(finish));
    function finish(): void {
      clearTimeout(late);
      stop();
      done();
    }
  });
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * locked runs f exclusively. The browser's lock excludes the other tabs. Without
 * https there is no such lock, and only the calls of this tab take turns.
 */
function locked<T>(f: () => Promise<T>): Promise<T> {
  if ('locks' in navigator) return navigator.locks.request('chatcast.refresh', f) as Promise<T>;
  const mine = turn.then(f);
  turn = mine.catch(() => undefined);
  return mine;
}

function expire(): void {
  ended.value = 'expired';
  keep(null);
}

/**
 * closed is called when the server closed this user's sockets. The token may have
 * ended with that, or the user must set up a second factor now. It asks until there
 * is an answer.
 */
export async function closed(): Promise<void> {
  const who = me.peek()?.id;
  for (let pause = 1000; me.peek()?.id === who && tokens.peek() !== null; pause = Math.min(2 * pause, 30_000)) {
    try {
      await call('GET', '/v1/tokens/check');
      await loadWho().catch(() => undefined);
      return;
    } catch (e) {
      if (e instanceof ApiError && (e.status === 401 || e.status === 403)) {
        if (tokens.peek() === null) return;
        ended.value = 'closed';
        keep(null);
        return;
      }
    }
    await new Promise((r) => setTimeout(r, pause));
  }
}

/** The current access token, for the snippets that show it on demand. */
export function currentToken(): string {
  return tokens.value?.accessToken ?? '';
}

useCredentials({
  async accessToken() {
    const t = tokens.peek();
    if (t === null) return null;
    if (t.accessTokenEndTime - serverTime() < 5) await refresh(t).catch(() => undefined);
    return tokens.peek()?.accessToken ?? null;
  },
  async refused(token) {
    const t = tokens.peek();
    if (t === null) return false;
    if (t.accessToken !== token) return true;
    return refresh(t).catch(() => false);
  },
});
