// The line of words about each event, over the golden files that the server's own
// events are held against, and over what is not as it should be.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { load } from './load.mjs';

const { summarize } = await load('src/views/live/summary.ts');
const { eventNames } = await load('../clients/js/src/index.ts');

const nobody = { isMe: () => false, user: () => null, chat: () => null };
const known = {
  isMe: (id) => id === 685,
  user: (id) => (id === 12 ? 'Bob' : null),
  chat: (_license, _messenger, id) => (id === '79990001122@c.us' ? 'Anna' : null),
};

const folder = new URL('../../../../crm/testdata/golden/', import.meta.url);
const golden = Object.fromEntries(readdirSync(folder).map((f) => [f.replace(/\.json$/, ''), JSON.parse(readFileSync(new URL(f, folder), 'utf8'))]));

const meta = { licenseId: 1229, messengerType: 'grWhatsApp' };
const event = (...data) => ({ payload: { data, meta } });
const chat = { id: '79990001122@c.us' };

test('golden events', () => {
  const lines = {
    chatAccomplice: 'user 685 joined the chat with +7 000 000-00-00 as accomplice · by user 685',
    message: 'Test Test: Test',
    messageStatus: 'The message to +7 000 000-00-00 was delivered',
    chatTag: 'Tag test 1 added to chat group-54911000655',
    'quickResponse.bulkDestroy': '2 quick responses were deleted',
    'quickResponseList.edit': 'List of quick responses List name was edited',
  };
  for (const [name, line] of Object.entries(lines)) {
    assert.equal(summarize(name.split('.')[0], golden[name], nobody), line);
  }
});

test('every golden event has a line of its own', () => {
  for (const [file, data] of Object.entries(golden)) {
    const line = summarize(file.split('.')[0], data, nobody);
    assert.doesNotMatch(line, /cannot read|does not know|undefined|null|\[object/, file);
  }
});

test('messages', () => {
  const base = { type: 'text', side: 'in', message: { text: 'hello', caption: '', file: null }, fromUser: { name: 'Anna' }, chat: { ...chat, type: 'private', name: 'Anna' }, created: null };
  const line = (more) => summarize('message', event({ ...base, ...more }), known);
  assert.equal(line({}), 'Anna: hello');
  assert.equal(line({ side: 'out', created: { id: 685 } }), 'You → Anna: hello');
  assert.equal(line({ side: 'out', created: { id: 12 } }), 'Bob → Anna: hello');
  assert.equal(line({ side: 'out', created: { id: 13 } }), 'user 13 → Anna: hello');
  assert.equal(line({ chat: { ...chat, type: 'group', name: 'Family' } }), 'Anna in Family: hello');
  assert.equal(line({ message: { text: 'a\n\n  b\u0009c' } }), 'Anna: a b c');
  assert.equal(line({ type: 'image', message: { text: '', caption: 'look', file: { name: 'a.png' } } }), 'Anna: photo, look');
  assert.equal(line({ type: 'sticker', message: { text: '', caption: '', file: null } }), 'Anna: sticker');
  assert.equal(line({ type: 'reaction', message: { text: '', reaction: { emoji: '👍' } } }), 'Anna: reacted 👍');
  assert.equal(line({ message: { text: '<img src=x onerror=alert(1)>' } }), 'Anna: <img src=x onerror=alert(1)>');
  assert.equal([...line({ message: { text: '👍'.repeat(5000) } })].length, 'Anna: '.length + 241);
});

test('actions on a chat', () => {
  const line = (name, item) => summarize(name, event({ chat, edited: { id: 12 }, ...item }), known);
  assert.equal(line('chatTag', { type: 'destroy', tag: { name: 'VIP' } }), 'Tag VIP taken off Anna · by Bob');
  assert.equal(line('chatResponsible', { responsible: { id: 685 } }), 'You are responsible for Anna · by Bob');
  assert.equal(line('chatResponsible', { responsible: null, edited: { id: 685 } }), 'Nobody is responsible for Anna now · by you');
  assert.equal(line('chatLevel', { level: null }), 'The level of the chat with Anna was reset · by Bob');
  assert.equal(line('messageEdit', { type: 'text', message: { text: 'new' } }), 'A message to Anna now says: new · by Bob');
  assert.equal(line('messageEdit', { type: 'text', message: { text: 'old' }, edited: null, error: { code: 'rejected', message: 'refused' } }),
    'A change of a message to Anna failed (refused); it still says: old');
  assert.equal(line('chatMerge', { from: { id: '5@lid' }, to: chat }), 'What was chat 5@lid is Anna from now on');
  const members = [{ id: '5@lid', lid: '5@lid', phone: null, name: '', role: 'member' }, { id: '6@c.us', lid: null, phone: '6', name: 'Carl', role: 'admin' }];
  assert.equal(line('chatGroup', { type: 'add', members, by: { name: 'Dora' }, edited: null }), '5@lid, Carl joined Anna · by Dora');
  assert.equal(line('chatGroup', { type: 'name', members: [], by: null }), 'Anna has another name · by Bob');
  assert.equal(line('chatPresence', { type: 'typing', fromUser: { name: 'Anna S.' } }), 'Anna S. is typing');
  assert.equal(line('chatPresence', { type: 'paused', fromUser: { name: '' } }), 'Anna has stopped typing');
  assert.equal(line('messageDelete', {}), 'A message to Anna was deleted · by Bob');
  assert.equal(line('messageStatus', { type: 'failed', error: { message: 'no such number' } }), 'The message to Anna failed: no such number');
  assert.equal(summarize('chatRead', event({ chat: { id: '74951234567@c.us' } }), nobody), 'The messages of +7 495 123-45-67 were read');
  assert.equal(summarize('chatStatus', event({ type: 'open', chat }, { type: 'open', chat }), known), 'The chat with Anna was opened (and 1 more)');
});

const flip = '\u202e'; // what follows is written from right to left
const hidden = '\u200b\u2066\u0007\u2060\ufeff\u00ad';

test('no name turns or hides what stands beside it', () => {
  const item = { type: 'text', side: 'in', message: { text: 'hello' }, fromUser: { name: `An${flip}na` }, chat: { ...chat, type: 'group', name: `Fam${hidden}ily` }, created: { id: 12 } };
  assert.equal(summarize('message', event(item), nobody), 'Anna in Family: hello');
  assert.equal(summarize('message', event({ ...item, side: 'out' }), { ...known, user: () => `B${flip}ob` }), 'Bob → Family: hello');
  assert.equal(summarize('chatTag', event({ chat, type: 'add', tag: { name: `V${flip}IP` } }), known), 'Tag VIP added to Anna');
  assert.equal(summarize('chatRead', event({ chat: { ...chat, name: flip } }), nobody), 'The messages of +7 999 000-11-22 were read');
  assert.equal(summarize(`evil${flip}gpj`, {}, nobody), 'An event this console does not know: evilgpj');
  assert.equal(summarize(`client-evil${flip}gpj`, {}, nobody), 'A page sent client-evilgpj to the others');
});

test('what belongs to a script or an emoji stays', () => {
  const [zwnj, zwj, rlm] = ['\u200c', '\u200d', '\u200f'];
  const tags = String.fromCodePoint(0xe0067, 0xe0062, 0xe0065, 0xe006e, 0xe0067, 0xe007f); // of the flag of England
  for (const name of [`ماریا${zwnj}نا`, `אנה${rlm}`, `👩${zwj}👩${zwj}👧`, `🏴${tags}`, '❤\ufe0f']) {
    assert.equal(summarize('chatRead', event({ chat: { ...chat, name } }), nobody), `The messages of ${name} were read`);
  }
});

test('nothing makes a line long', () => {
  const long = '7'.repeat(10_000);
  const item = { type: long, side: 'in', message: { text: long }, fromUser: { name: long }, chat: { id: long, phone: long, type: 'group', name: '' }, created: null };
  for (const [name, more] of [['message', {}], ['message', { fromUser: {}, message: {} }], ['chatRead', {}], [long, {}], [`client-${long}`, {}]]) {
    assert.ok(summarize(name, event({ ...item, ...more }), nobody).length < 1000, name.slice(0, 20));
  }
});

test('unknown events are named', () => {
  assert.equal(summarize('orderPaid', { a: 1 }, nobody), 'An event this console does not know: orderPaid');
  assert.equal(summarize('constructor', {}, nobody), 'An event this console does not know: constructor');
  assert.equal(summarize('client-typing', {}, nobody), 'A page sent client-typing to the others');
});

test('nothing that a payload can be makes it throw', () => {
  const values = [undefined, null, 0, true, 'x', [], {}, { payload: null }, { payload: [] }, { payload: { data: null, meta } }, event(), event(null), event(1), event([])];
  for (const name of eventNames) {
    for (const v of values) assert.match(summarize(name, v, nobody), /cannot read/, `${name} ${JSON.stringify(v)}`);
    assert.match(summarize(name, event({ type: 'constructor', chat, employee: {}, tag: {}, conversation: {}, message: 3 }), nobody), /./, name);
  }
});

// Any one field of a good event replaced by what it is not: a line comes all the same.
test('no field that is wrong makes it throw', () => {
  for (const [file, data] of Object.entries(golden)) {
    for (const path of pathsOf(data)) {
      for (const bad of [undefined, null, 7, 'x', [], {}, '__proto__']) {
        const line = summarize(file.split('.')[0], replaced(data, path, bad), nobody);
        assert.ok(typeof line === 'string' && line !== '' && !line.includes('undefined') && !line.includes('[object'), `${file} ${path.join('.')} = ${JSON.stringify(bad)}: ${line}`);
      }
    }
  }
});

function pathsOf(v, at = []) {
  if (typeof v !== 'object' || v === null) return [];
  return Object.keys(v).flatMap((k) => [[...at, k], ...pathsOf(v[k], [...at, k])]);
}

function replaced(v, [k, ...rest], bad) {
  const copy = Array.isArray(v) ? [...v] : { ...v };
  copy[k] = rest.length === 0 ? bad : replaced(v[k], rest, bad);
  return copy;
}
