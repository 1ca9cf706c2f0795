// Being let into a channel, while the server or a proxy before it cannot say.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { load } from './load.mjs';

let answers, asked;
globalThis.fetch = async (path, init) => {
  asked.push(`${init.method} ${path} ${init.body}`);
  const next = answers.shift();
  if (next === 'gone') throw new TypeError('fetch failed');
  return Response.json(next.body ?? {}, { status: next.status, headers: next.headers ?? {} });
};
const yes = { status: 200, body: { auth: 'key:signature' } };
const no = { status: 403, body: { success: false, error: { code: 'ApiAccessDeniedError', message: 'not yours' } } };

const { admit } = await load('src/admission.ts');
const channel = { socketId: '1.2', channelName: 'private-v1.users.685' };

const settle = async () => {
  for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
};
async function pass(seconds) {
  for (let i = 0; i < seconds; i++) {
    mock.timers.tick(1000);
    await settle();
  }
}

beforeEach(() => {
  asked = [];
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => mock.timers.reset());

test('a no is a no, at once', async () => {
  answers = [no];
  await assert.rejects(admit(channel, () => true, assert.fail), { status: 403, message: 'not yours' });
  assert.deepEqual(asked, ['POST /broadcasting/auth socket_id=1.2&channel_name=private-v1.users.685']);
});

test('what passes is tried again, and told when it takes long', async () => {
  answers = ['gone', { status: 502 }, { status: 429, headers: { 'Retry-After': '9' } }, { status: 503 }, 'gone', yes];
  let told = [];
  let got;
  void admit(channel, () => true, (e) => told.push(e.status)).then((a) => (got = a));
  await settle();
  await pass(1 + 2 + 8);
  assert.equal(asked.length, 3, 'the server said when to come again');
  assert.deepEqual(told, []);
  await pass(1 + 8);
  assert.deepEqual(told, [0], 'it does not stay unsaid');
  await pass(60);
  assert.deepEqual(got, { auth: 'key:signature' });
  assert.equal(told.length, 1);
});

test('who is gone asks no more, and hears nothing', async () => {
  answers = ['gone', yes];
  let wanted = true;
  let heard = false;
  admit(channel, () => wanted, assert.fail).finally(() => (heard = true));
  await settle();
  wanted = false;
  await pass(60);
  assert.equal(asked.length, 1);
  assert.equal(heard, false);
});
