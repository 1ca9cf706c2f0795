// Drafts: whose they are, how long they live, and what a chat takes along.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

globalThis.requestAnimationFrame ??= () => 0;
const kept = new Map();
globalThis.sessionStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v), removeItem: (k) => kept.delete(k) };
globalThis.BroadcastChannel = class { postMessage() {} };
Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });

let user = 1;
const later = () => Math.floor(Date.now() / 1000) + 90_000;
globalThis.fetch = async (path, init) => {
  const data = {
    'POST /v1/tokens': { cabinetUserId: user, accessToken: `a${user}`, refreshToken: `r${user}`, accessTokenEndTime: later(), refreshTokenEndTime: later() },
    'GET /v1/me': { id: user, totp: 'off', companies: [] },
  }[`${init.method} ${path}`] ?? [];
  return Response.json({ success: true, data });
};

const { add, draftKey, draftText, lastSent, setDraft, setSent, signIn, signOut } = await load('test/drafts.ts');
const line = { licenseId: 1, messenger: 'telegram' };
const key = draftKey(line, '7', 'operator');
const stored = () => kept.get('chatcast.drafts') ?? '';

test('a draft is stored for its user, and a sign-out leaves nothing', async () => {
  await signIn('a', 'b');
  setDraft(key, 'half a');
  setDraft(key, 'half a sentence');
  setSent(key, { what: 'half a sentence', key: 'k1' });
  assert.match(stored(), /half a sentence/);
  assert.equal(draftText(draftKey(line, '7', 'customer')), '');
  assert.equal(lastSent(key).key, 'k1');
  setSent(key, undefined);
  assert.equal(lastSent(key), undefined);
  assert.equal(draftText(key), 'half a sentence');
  await signOut();
  assert.equal(stored(), '');
  assert.equal(draftText(key), '');
  user = 2;
  await signIn('a', 'b');
  assert.equal(draftText(key), '');
});

test('what is stored for another user, or is nonsense, is nobody’s', async () => {
  for (const text of ['no JSON', '7', 'null', '{"owner":3}', '{"owner":3,"drafts":[[7,null]]}', JSON.stringify({ owner: 1, drafts: [[key, { text: 'of user 1' }]] })]) {
    await signOut();
    user = 3;
    kept.set('chatcast.drafts', text);
    await signIn('a', 'b');
    assert.equal(draftText(key), '', text);
  }
  await signOut();
});

test('a chat that became part of another takes its draft along', async () => {
  user = 4;
  await signIn('a', 'b');
  setDraft(key, 'for the new chat');
  const merged = (from, to) => add({ time: 0, channel: 'c', event: 'chatMerge', eventId: 1, missed: false, data: { payload: { data: [{ from: { id: from }, to: { id: to } }], meta: { licenseId: 1, messengerType: 'telegram' } } } });
  merged('7', '8');
  assert.equal(draftText(key), '');
  assert.equal(draftText(draftKey(line, '8', 'operator')), 'for the new chat');
  setDraft(key, 'another');
  merged('7', '8');
  assert.equal(draftText(draftKey(line, '8', 'operator')), 'for the new chat', 'what is there stays');
  await signOut();
});
