// Rules of lines with an account, and of what such lines bring.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

globalThis.requestAnimationFrame ??= () => 0;

const { failureText, inWords, shown, applyEvent, votes } = await load('src/views/send/messages.ts');
const { aboutLine, isAccount, riskOf } = await load('src/views/send/stand.ts');
const { assertionIn, scriptFor } = await load('src/views/send/extension.ts');

const at = { licenseId: 1229, messenger: 'grWhatsApp' };
const event = (item, meta) => ({ payload: { data: [item], meta: { licenseId: 1229, messengerType: 'grWhatsApp', ...meta } } });
const stands = { state: 'connected', connected: true, phone: '79990001122', detail: 'Connected.', bannedUntil: null, restrictedUntil: null, rating: 'ok', ratingReasons: [], time: 1 };
const content = (text, more) => ({ text, caption: '', file: null, ...more });
const msg = (id, more) => ({
  id, type: 'text', subtype: null, side: 'in', time: 1, internalId: 1, message: content(`text ${id}`), status: '', statusTime: null, error: null,
  editedAt: null, deletedAt: null, fromUser: { id: '7', name: 'Anna', phone: null }, ...more,
});

test('events about a line are its own, and of their shape', () => {
  assert.equal(aboutLine(at, 'messengerStatus', event(stands)).item.phone, '79990001122');
  assert.equal(aboutLine(at, 'qr', event({ qr: 'text', code: null, expiresAt: 5, passkey: null })).name, 'qr');
  assert.equal(aboutLine(at, 'messengerStatus', event(stands, { licenseId: 7 })), undefined);
  assert.equal(aboutLine(at, 'messengerStatus', event(stands, { messengerType: 'telegram' })), undefined);
  assert.equal(aboutLine(at, 'message', event(stands)), undefined);
  for (const broken of [null, 'text', {}, { payload: null }, { payload: { data: [null], meta: at } }, event({}), event({ ...stands, state: 5 }), event({ ...stands, phone: 7 })]) {
    assert.equal(aboutLine(at, 'messengerStatus', broken), undefined);
  }
  const step = { options: null, origin: 'https://web.whatsapp.com', code: 'ABCD-EFGH' };
  assert.equal(aboutLine(at, 'qr', event({ qr: null, code: null, expiresAt: 5, passkey: step })).item.passkey.code, 'ABCD-EFGH');
  for (const item of [
    { qr: 5, code: null, expiresAt: 5, passkey: null }, { qr: 'x', code: null, expiresAt: '5', passkey: null }, { qr: null, code: {}, expiresAt: 5, passkey: null },
    { qr: null, code: null, expiresAt: 5 }, { qr: null, code: null, expiresAt: 5, passkey: 'x' }, { qr: null, code: null, expiresAt: 5, passkey: { ...step, code: 5 } },
    { qr: null, code: null, expiresAt: 5, passkey: { ...step, options: 'x' } },
  ]) {
    assert.equal(aboutLine(at, 'qr', event(item)), undefined);
  }
});

test('a line is a bridge until an account was paired with it', () => {
  const status = (via, state, phone) => isAccount({ via, state, phone, connected: false, detail: '', bannedUntil: null, restrictedUntil: null, rating: 'ok', ratingReasons: [] });
  assert.equal(status('bridge', 'connected', null), false);
  assert.equal(status('none', 'not_set_up', null), false);
  assert.equal(status('whatsapp', 'pairing', null), false);
  assert.equal(status('whatsapp', 'pairing', '79990001122'), true);
  assert.equal(status('whatsapp', 'passkey', null), false);
  assert.equal(status('whatsapp', 'logged_out', null), true);
});

test('a line tells its risk while there is one, and has an account', () => {
  const reasons = [{ code: 'burst', rating: 'careful', message: 'Too fast.' }];
  const status = (more) => ({ ...stands, via: 'whatsapp', rating: 'careful', ratingReasons: reasons, ...more });
  assert.deepEqual(riskOf(status({})), { rating: 'careful', reasons });
  assert.equal(riskOf(status({ rating: 'stop' })).rating, 'stop');
  assert.equal(riskOf(status({ rating: 'ok', ratingReasons: [] })), undefined);
  assert.equal(riskOf(status({ state: 'logged_out' })), undefined);
  assert.equal(riskOf(status({ via: 'bridge', rating: null })), undefined);
});

test('what comes later than its message is nobody’s edit', () => {
  const pending = content('', { file: { link: '/f', name: 'cat.png', size: 5, mimeType: 'image/png', state: 'pending' } });
  const there = content('', { file: { ...pending.file, state: undefined } });
  const edit = (m, item) => applyEvent([m], { name: 'messageEdit', item: { id: m.id, type: m.type, time: 30, ...item } })[0];
  const picture = edit(msg('p', { type: 'image', message: pending }), { message: there });
  assert.equal(picture.editedAt, null);
  assert.equal(picture.message.file.state, undefined);
  const read = edit(msg('u', { type: 'unknown', subtype: 'undecryptable', message: content('') }), { type: 'text', message: content('hello') });
  assert.deepEqual([read.type, read.subtype, read.message.text, read.editedAt], ['text', null, 'hello', null]);
  assert.equal(edit(msg('t'), { message: content('other') }).editedAt, 30);
});

test('of votes the last of each person counts, and they stand with their poll', () => {
  const poll = msg('a', { type: 'poll', message: content('', { poll: { question: 'Tea?', options: ['yes', 'no'], multiple: false } }) });
  const vote = (id, who, ...options) => msg(id, { type: 'poll', subtype: 'pollVote', message: content('', { vote: { messageId: 'a', options } }), fromUser: { id: who, name: who, phone: null } });
  const list = [poll, vote('v1', 'Anna', 'yes'), vote('v2', 'Ben', 'yes'), vote('v3', 'Anna', 'no'), vote('v4', 'Cem', 'no'), vote('v5', 'Cem')];
  assert.deepEqual(Object.fromEntries(votes(list).get('a')), { yes: ['Ben'], no: ['Anna'] });
  assert.equal(shown(list).length, 1);
  assert.equal(shown(list.slice(1)).length, 5); // the poll is not there
  assert.equal(inWords('poll', list[1].message), 'voted for yes');
  assert.equal(inWords('poll', list[5].message), 'took the vote back');
});

test('why a message failed, in words', () => {
  assert.match(failureText({ code: 'reachout_locked', message: 'x' }, true), /new people/);
  assert.equal(failureText({ code: 'rejected', message: 'WhatsApp refused the message (479)' }, true), 'WhatsApp refused the message (479)');
  assert.equal(failureText({ code: 'something', message: 'else' }, true), 'else');
  assert.equal(failureText({ code: 'reachout_locked', message: 'of a bridge' }), 'of a bridge');
  assert.equal(failureText({ code: 'toString' }, true), 'toString');
});

test('a passkey’s answer is found in what was pasted, and nothing else is one', () => {
  const answer = { id: 'a', rawId: 'a', type: 'public-key', response: { clientDataJSON: 'e30' } };
  assert.deepEqual(assertionIn(` VM12:1 ${JSON.stringify(answer)}\n`), answer);
  for (const text of ['', 'hello', '{}', '{"response":null}', '{"response":5}', '}{', '{"response":{', 'undefined']) assert.equal(assertionIn(text), undefined, text);
  assert.match(scriptFor({ challenge: 'abc' }), /parseRequestOptionsFromJSON\(\{"challenge":"abc"\}\)/);
});
