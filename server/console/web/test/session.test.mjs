// The session against a server that answers when the test says: what is signed out
// stays so, a clock that is wrong does no harm, and nothing is asked in circles.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { load } from './load.mjs';

const kept = new Map();
globalThis.sessionStorage = {
  getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k),
};
let sister; // gets what this tab tells the others, and can tell it something
globalThis.BroadcastChannel = class {
  constructor() { sister = { heard: [], tell: (data) => this.onmessage({ data }) }; }
  postMessage(m) { sister.heard.push(m); }
};
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true }); // a page without https has no locks

const hour = 3600;
let clock = 0; // seconds by which the server's clock is ahead
const serverNow = () => Math.floor(Date.now() / 1000) + clock;

let made, live, asked, doors;
const pair = () => {
  const n = ++made;
  live = { access: `a${n}`, refresh: `r${n}` };
  return { cabinetUserId: 685, accessToken: live.access, refreshToken: live.refresh, accessTokenEndTime: serverNow() + 24 * hour, refreshTokenEndTime: serverNow() + 14 * 24 * hour };
};
const answers = {
  'POST /v1/tokens': () => pair(),
  'POST /v1/tokens/refresh': (_token, body) => (body.refreshToken === live.refresh ? pair() : null),
  'DELETE /v1/tokens': (token) => {
    if (token !== live.access) return null;
    live = { access: '', refresh: '' };
    return {};
  },
  'GET /v1/me': (token) => (token === live.access ? { id: 685, companies: [] } : null),
  'GET /v1/licenses': (token) => (token === live.access ? [] : null),
  'GET /v1/tokens/check': (token) => (token === live.access ? {} : null),
};
globalThis.fetch = async (path, init) => {
  const what = `${init.method} ${path}`;
  asked.push(what);
  const data = answers[what](init.headers.get('Authorization'), init.body && JSON.parse(init.body));
  await doors[what];
  if (doors[what] === 'down') throw new TypeError('fetch failed');
  const headers = { Date: new Date(serverNow() * 1000).toUTCString() };
  if (data === null) return Response.json({ success: false, error: { code: 'ApiInvalidTokenError' } }, { status: 403, headers });
  return Response.json({ success: true, data }, { headers });
};
const door = (what) => {
  let open;
  doors[what] = new Promise((done) => (open = done));
  return open;
};
const count = (what) => asked.filter((a) => a === what).length;
const settle = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
};

const { signIn, signOut, signedIn, currentToken, me, ended, left, call } = await load('test/visit.ts');

beforeEach(async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1.8e12 });
  made = 0;
  clock = 0;
  asked = [];
  doors = {};
  live = { access: '', refresh: '' };
});
afterEach(async () => {
  doors = {};
  await signOut();
  mock.timers.reset();
});

test('a refresh that is on its way does not outlive the sign-out', async () => {
  await signIn('o@example.com', 'x');
  live.access = 'expired meanwhile';
  const open = door('POST /v1/tokens/refresh');
  const late = call('GET', '/v1/me').catch(() => undefined);
  await settle();
  const out = signOut();
  await settle();
  open();
  await Promise.all([late, out]);
  assert.equal(signedIn.value, false);
  assert.equal(kept.size, 0);
  assert.deepEqual(live, { access: '', refresh: '' }, 'the server still has a pair that works');
  assert.equal(sister.heard.at(-1).tokens, null);
});

test('who leaves of their own wish is told from a session that ends', async () => {
  const before = left.value;
  await signIn('o@example.com', 'x');
  live = { access: '', refresh: '' };
  const late = call('GET', '/v1/me').catch(() => undefined);
  await settle();
  mock.timers.tick(1000); // for a copy of this tab that may have other tokens
  await late;
  assert.equal(ended.value, 'expired');
  assert.equal(left.value, before);
  await signIn('o@example.com', 'x');
  assert.equal(left.value, before);
  await signOut();
  assert.equal(left.value, before + 1);
  await signIn('o@example.com', 'x');
  sister.tell({ died: live.refresh, tokens: null }); // signed out in the copy
  assert.equal(signedIn.value, false);
  assert.equal(left.value, before + 2);
});

test('a sign-out with an access token that is over ends the pair all the same', async () => {
  await signIn('o@example.com', 'x');
  live.access = 'expired meanwhile';
  await signOut();
  assert.deepEqual(live, { access: '', refresh: '' });
  assert.equal(ended.value, '');
});

test('a sign-in that cannot read who signed in says so, and leaves nothing behind', async () => {
  doors['GET /v1/me'] = 'down';
  await assert.rejects(signIn('o@example.com', 'x'));
  assert.equal(signedIn.value, false);
  await settle();
  assert.equal(live.access, '');
});

for (const wrong of [-30 * hour, -3 * hour, 3 * hour, 30 * hour]) {
  test(`a clock that is ${Math.abs(wrong) / hour} hours ${wrong < 0 ? 'fast' : 'slow'} neither refreshes in circles nor ends the session`, async () => {
    clock = wrong;
    await signIn('o@example.com', 'x');
    for (let i = 0; i < 24 * 60 - 10; i++) {
      mock.timers.tick(60_000);
      await settle();
      if (i % 60 === 0) await call('GET', '/v1/me');
    }
    assert.equal(count('POST /v1/tokens/refresh'), 0);
    mock.timers.tick(10 * 60_000);
    await settle();
    assert.equal(count('POST /v1/tokens/refresh'), 1);
    assert.equal(currentToken(), live.access);
  });
}

test('while the server is gone, however much is asked, the refresh is tried once in five seconds', async () => {
  await signIn('o@example.com', 'x');
  doors['POST /v1/tokens/refresh'] = 'down';
  mock.timers.tick(24 * hour * 1000 - 4000);
  await settle();
  for (let i = 0; i < 10; i++) await call('GET', '/v1/me').catch(() => undefined);
  asked = [];
  for (let i = 0; i < 60; i++) {
    mock.timers.tick(1000);
    await settle();
  }
  assert.ok(count('POST /v1/tokens/refresh') <= 13, `${count('POST /v1/tokens/refresh')} in a minute`);
});

test('two calls that are refused at once exchange the token once, also without locks', async () => {
  await signIn('o@example.com', 'x');
  live.access = 'expired meanwhile';
  await Promise.all([call('GET', '/v1/me'), call('GET', '/v1/licenses'), call('GET', '/v1/tokens/check')]);
  assert.equal(count('POST /v1/tokens/refresh'), 1);
  assert.equal(currentToken(), live.access);
});

test('a copy of this tab that was quicker is waited for', async () => {
  await signIn('o@example.com', 'x');
  const died = live.refresh;
  const next = pair(); // the other tab has it, and its message is on the way
  const mine = call('GET', '/v1/me');
  await settle();
  sister.tell({ died, tokens: next });
  await settle();
  mock.timers.tick(2000);
  assert.deepEqual(await mine, { id: 685, companies: [] });
  assert.equal(currentToken(), next.accessToken);
  assert.equal(me.value?.id, 685);
});
