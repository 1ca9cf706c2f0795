// The rules of the Send view: what events make of a chat and of its messages.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { load } from './load.mjs';

const { applied, editorOf, chatEventsOf } = await load('src/views/send/events.ts');
const { authorName, chatName } = await load('src/naming.ts');
const { both, failureText, inWords, nextStatuses, put, reactions, shown, applyEvent } = await load('src/views/send/messages.ts');

const folder = new URL('../../../../crm/testdata/golden/', import.meta.url);
const golden = Object.fromEntries(readdirSync(folder).map((f) => [f.replace(/\.json$/, ''), JSON.parse(readFileSync(new URL(f, folder), 'utf8'))]));

const chat = {
  id: '1@c.us', type: 'private', name: 'Anna', phone: '1', username: null, status: 'open', responsible: null, pin: false, producer: null,
  accomplices: [], auditors: [], level: null, process: null, tags: [], unread: 3, lastTime: 10, conversation: null,
};
const content = (text) => ({ text, caption: '', file: null });
const msg = (id, more = {}) => ({
  id, fromMe: false, side: 'in', time: 10, type: 'text', message: content(id), fromUser: { id: '1', name: 'Anna' }, created: null,
  internalId: null, status: '', statusTime: null, error: null, editedAt: null, deletedAt: null, ...more,
});
const at = { licenseId: 5, messenger: 'telegram' };
const payload = (...data) => ({ payload: { data, meta: { licenseId: 5, messengerType: 'telegram' } } });
const ids = (list) => list.map((m) => m.id).join(' ');

test('each golden event of a line is read, and changes a chat without throwing', () => {
  for (const [name, data] of Object.entries(golden)) {
    const { meta } = data.payload;
    const found = chatEventsOf({ licenseId: meta.licenseId, messenger: meta.messengerType }, name.split('.')[0], data);
    if (meta.messengerType === undefined) assert.equal(found.length, 0, name);
    else assert.equal(found.length, data.payload.data.length, name);
    for (const t of found) assert.ok(applied(chat, t.event, []).id, name);
  }
});

test('events of other lines, unknown ones and malformed ones are passed over', () => {
  const item = { type: 'open', chat: { id: '1@c.us' }, edited: null };
  assert.equal(chatEventsOf(at, 'chatStatus', payload(item)).length, 1);
  assert.equal(chatEventsOf({ ...at, messenger: 'other' }, 'chatStatus', payload(item)).length, 0);
  assert.equal(chatEventsOf({ ...at, licenseId: 6 }, 'chatStatus', payload(item)).length, 0);
  assert.equal(chatEventsOf(at, 'somethingNew', payload(item)).length, 0);
  for (const data of [null, 7, 'x', {}, { payload: null }, { payload: {} }, payload(null), payload({}), payload({ chat: null }), payload({ chat: { id: 7 } })]) {
    assert.equal(chatEventsOf(at, 'chatStatus', data).length, 0, JSON.stringify(data));
  }
  for (const name of ['chatTag', 'chatLevel', 'message', 'chatAccomplice']) {
    assert.equal(applied(chat, { name, item: { chat: { id: '1@c.us' } } }, []).id, '1@c.us', name);
  }
});

test('facts of a chat follow its events, also when one comes twice', () => {
  const tag = { id: 1, name: 'VIP', color: '#123456', sort: 1, category: null };
  const twice = (c, t) => applied(applied(c, t, []), t, []);
  const tagged = twice(chat, { name: 'chatTag', item: { type: 'add', tag } });
  assert.deepEqual(tagged.tags, [tag]);
  assert.deepEqual(twice(tagged, { name: 'chatTag', item: { type: 'destroy', tag } }).tags, []);
  assert.deepEqual(twice(chat, { name: 'chatAccomplice', item: { type: 'add', accomplice: { id: 4 } } }).accomplices, [{ id: 4 }]);
  assert.equal(twice(chat, { name: 'chatRead', item: {} }).unread, 0);
  assert.equal(twice(chat, { name: 'chatStatus', item: { type: 'close' } }).status, 'close');
  assert.equal(applied(chat, { name: 'chatLevel', item: { level: { id: 2 } } }, [{ id: 2, name: 'Deal', sort: 1 }]).level.name, 'Deal');
  assert.equal(editorOf({ name: 'chatRead', item: { edited: { id: 9 } } }), 9);
  assert.equal(editorOf({ name: 'chatRead', item: { edited: null } }), null);
});

test('messages stand in the order of their time, each once, whichever way they came', () => {
  let list = put([], [msg('a', { time: 1, internalId: 1 }), msg('c', { time: 3, internalId: 3 })]);
  list = applyEvent(list, { name: 'message', item: msg('d', { time: 3 }) });
  list = put(list, [msg('b', { time: 2, internalId: 2 }), msg('d', { time: 3, internalId: 4 })]);
  assert.equal(ids(list), 'a b c d');
  assert.equal(list[3].internalId, 4);
  assert.equal(ids(put(list, [msg('z', { time: 0, internalId: 9 })])), 'z a b c d');
  assert.equal(put([msg(7)], [msg('7')]).length, 1); // an id is a number or a string
});

test('a status never goes back, and what is deleted stays deleted', () => {
  const out = msg('o', { side: 'out', fromMe: true });
  const status = (type) => ({ name: 'messageStatus', item: { id: 'o', type, time: 20, error: null } });
  let list = applyEvent([out], status('viewed'));
  assert.equal(list[0].status, 'viewed');
  assert.equal(applyEvent(list, status('sent'))[0].status, 'viewed');
  assert.equal(both(list[0], out).status, 'viewed'); // a page that was read before the event came
  list = applyEvent(list, { name: 'messageEdit', item: { id: 'o', type: 'text', message: content('new'), time: 30 } });
  assert.equal(both(list[0], out).message.text, 'new');
  list = applyEvent(list, { name: 'messageDelete', item: { id: 'o', time: 40 } });
  assert.equal(list[0].message.text, '');
  assert.equal(both(list[0], out).deletedAt, 40);
  list = applyEvent(list, { name: 'messageEdit', item: { id: 'o', message: content('old'), time: 50, error: { code: 'rejected', message: 'no' } } });
  assert.deepEqual([list[0].message.text, list[0].deletedAt], ['old', null]); // the deletion was refused
  assert.equal(applyEvent(list, { name: 'messageDelete', item: { id: 'unknown', time: 1 } }), undefined);
  assert.equal(applyEvent(list, { name: 'chatRead', item: {} }), undefined);
});

test('the bridge can report only what is further than the message got', () => {
  const out = (status, more) => nextStatuses(msg('o', { side: 'out', status, ...more })).join(' ');
  assert.equal(out(''), 'sent delivered viewed failed');
  assert.equal(out('sent'), 'delivered viewed failed');
  assert.equal(out('delivered'), 'viewed');
  assert.equal(out('viewed'), '');
  assert.equal(out('failed'), '');
  assert.equal(out('', { deletedAt: 5 }), '');
  assert.equal(nextStatuses(msg('i')).length, 0);
});

test('of reactions the last of each person counts', () => {
  const react = (id, emoji, more) => msg(id, { type: 'reaction', message: { ...content(''), reaction: { messageId: 'a', emoji } }, ...more });
  const us = { side: 'out', fromUser: { id: '685', name: 'Bob' } };
  const list = [msg('a'), react('r1', '👍'), react('r2', '❤️'), react('r3', '😂', us)];
  assert.deepEqual(reactions(list).get('a').map((r) => `${r.emoji} ${r.mine}`), ['❤️ false', '😂 true']);
  assert.deepEqual(reactions([...list, react('r4', '', us)]).get('a').map((r) => r.emoji), ['❤️']);
  assert.equal(ids(shown(list)), 'a');
  assert.equal(ids(shown(list.slice(1))), 'r1 r2 r3'); // what they are to is not there
});

test('words for contents and errors', () => {
  assert.equal(inWords('image', { ...content(''), file: { name: 'cat.png' } }), 'cat.png');
  assert.equal(inWords('image', content('')), 'Photo');
  assert.equal(inWords('sticker', null), 'Sticker');
  assert.equal(failureText({ message: 'no such number' }), 'no such number');
  assert.equal(failureText('blocked'), 'blocked');
  assert.equal(failureText({ code: 463 }), '463');
  assert.equal(failureText(null), '');
});

test('no name turns or hides what stands beside it', () => {
  assert.equal(chatName({ name: 'An\u202ena' }), 'Anna');
  assert.equal(chatName({ name: '\u202e ', phone: '7999\u2066' }), '7999');
  assert.equal(chatName({ name: '', phone: null, username: 'an\u200bna' }), '@anna');
  assert.equal(inWords('image', { ...content(''), file: { name: 'evil\u202egpj.exe' } }), 'evilgpj.exe');
  assert.equal(inWords('stick\u202eer', null), 'sticker');
  assert.equal(authorName({ id: '1', name: '\u202e', phone: '7999' }), '7999');
});

test('an event whose fields are not of their types is passed over: a backend may publish any', () => {
  const chatOf = { id: '1@c.us' };
  const message = golden.message.payload.data[0];
  const m = (content) => ({ ...message, chat: chatOf, message: { ...message.message, ...content } });
  assert.equal(chatEventsOf(at, 'message', payload(m({}))).length, 1);
  const wrong = {
    message: [
      { chat: chatOf }, { ...m({}), message: null }, { ...m({}), type: '__proto__' }, { ...m({}), type: 'constructor', message: 7 }, { ...m({}), fromUser: null },
      { ...m({}), time: '1' }, m({ text: { type: 'script' } }), m({ caption: 7 }), m({ file: [] }), m({ file: { link: 1 } }), m({ location: { latitude: 'x' } }),
      m({ contact: { name: {} } }), m({ poll: { question: '', options: 1 } }), m({ poll: { question: '', options: [{}] } }), m({ reaction: { emoji: 1 } }),
      { ...m({}), quotedMessage: 7 }, { ...m({}), quotedMessage: { type: 'text', message: { text: {} } } }, { ...m({}), created: 7 },
    ],
    messageEdit: [{ id: 1, chat: chatOf, time: 1, message: null }, { id: 1, chat: chatOf, time: 1, message: { text: 1, caption: '' } }],
    messageStatus: [{ id: 1, chat: chatOf, type: {}, time: 1 }],
    chatTag: [{ chat: chatOf, type: 'add', tag: null }, { chat: chatOf, type: 'add', tag: { id: {}, name: 'x', color: 'y' } }, { chat: chatOf, type: 'add', tag: { id: 1, name: {}, color: 'y' } }],
    chatStatus: [{ chat: chatOf, type: 'x' }],
    chatResponsible: [{ chat: chatOf, responsible: 7 }, { chat: chatOf, responsible: { id: 'x' } }],
    chatProducer: [{ chat: chatOf, producer: [] }],
    chatAccomplice: [{ chat: chatOf, type: 'add', accomplice: null }],
    chatAuditor: [{ chat: chatOf, type: 'add', auditor: { id: {} } }],
    chatLevel: [{ chat: chatOf, level: { id: {} } }],
    chatConversation: [{ chat: chatOf, conversation: 'x' }, { chat: chatOf, conversation: { type: 'constructor', endTime: 1 } }],
  };
  for (const [name, items] of Object.entries(wrong)) {
    for (const item of items) assert.equal(chatEventsOf(at, name, payload(item)).length, 0, `${name} ${JSON.stringify(item).slice(0, 300)}`);
  }
});
