// An outage: the list has a mark where it was, then what the journal kept, then what
// came meanwhile, and nothing twice.
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { load } from './load.mjs';

let frames = [];
globalThis.requestAnimationFrame = (f) => frames.push(f);

let journal = []; // { channel, id }
let earlierKept = false; // whether the journal gives what was before
globalThis.fetch = async (path) => {
  const url = new URL(path, 'http://x');
  const ofChannel = journal.filter((e) => e.channel === url.searchParams.get('channel'));
  const limit = Number(url.searchParams.get('limit'));
  const items = url.searchParams.has('newest') && earlierKept ? ofChannel.slice(-limit) : [];
  const data = { items: items.map((e) => ({ id: e.id, event: 'message', time: 1, data: data_(e.id) })), nextAfter: items.at(-1)?.id ?? 0, lastId: journal.at(-1)?.id ?? 0 };
  return Response.json({ success: true, data });
};

const data_ = (id) => ({ payload: { data: [{}], meta: { type: 'message', eventId: id } } });
const { CatchUp, entries, gaps, clear, keepEntries, keepHeld, patience, add, generation, belongTo, counts, onEvent } = await load('test/shell.ts');

const [line, company] = ['private-v1.licenses.1.messengers.telegram', 'private-v1.companies.1'];
// page is a CatchUp with a client of pusher-js, whose frames come through frame.
function page() {
  const c = new CatchUp();
  const on = {};
  c.resume.follow({ connection: { socket_id: '1.1', bind: (event, f) => (on[event] = f), unbind() {} }, channel: () => true, allChannels: () => [] });
  c.frame = (channel, event, data) => {
    if (!event.startsWith('chatcast:')) c.take(channel, event, data);
    on.message({ event, channel, data });
  };
  c.hear = (channel, id) => c.frame(channel, 'message', data_(id));
  return c;
}

// back subscribes to the channels again. The server replays the journal after the last
// event that the page names, tells the position, then comes what happens during that.
async function back(c, channels, during = () => {}) {
  const cursors = channels.map((channel) => [channel, c.paramsOf(channel).last_event_id]);
  const closing = c.settled(channels);
  const lastEventId = journal.at(-1)?.id ?? 0;
  for (const [channel, after] of cursors) {
    if (after > lastEventId) c.frame(channel, 'chatcast:resume_failed', { oldestEventId: journal[0]?.id ?? 0, lastEventId });
    else if (after !== undefined) for (const e of journal) if (e.channel === channel && e.id > after) c.hear(channel, e.id);
    c.frame(channel, 'chatcast:position', { eventId: lastEventId });
  }
  during();
  await closing;
}

const listed = () => [...entries(), ...gaps()].sort((a, b) => a.n - b.n).map((r) => ('event' in r ? `${r.eventId}${r.missed ? ' missed' : ''}${r.earlier ? ' earlier' : ''}` : r.begin ? 'begin' : `gap ${r.missed}${r.channels.map((c) => ` of ${c}`).join('')}${r.dropped > 0 ? ` dropped ${r.dropped}` : ''}`));

beforeEach(() => {
  clear();
  journal = [];
  earlierKept = false;
});

test('the list begins with the last events of all channels, and heard by few', async () => {
  earlierKept = true;
  journal = Array.from({ length: 180 }, (_, i) => ({ channel: i % 3 === 0 ? company : line, id: i + 1 }));
  const news = [], all = [];
  const deaf = [onEvent((e) => news.push(e.eventId)), onEvent((e) => all.push(e.eventId), true)];
  const c = page();
  const begun = c.settled([line, company]);
  c.take(line, 'message', data_(180)); // it is in the journal too
  c.take(line, 'message', data_(181));
  await begun;
  c.take(company, 'message', data_(182));
  for (const f of deaf) f();
  assert.deepEqual(listed(), [...Array.from({ length: 100 }, (_, i) => `${i + 80} earlier`), 'begin', '180', '181', '182']);
  assert.deepEqual(news, [180, 181, 182]);
  assert.equal(all.length, 103);
  await c.settled([line, company]);
  assert.equal(entries().length, 103, 'they are read once');
});

test('away while the earlier events are read: nothing is lost, and nothing twice', async () => {
  earlierKept = true;
  journal = [{ channel: line, id: 1 }, { channel: company, id: 2 }];
  const c = page();
  const begun = c.settled([line, company]);
  c.hold();
  await begun;
  assert.deepEqual(listed(), ['1 earlier', '2 earlier', 'begin']);
  journal.push({ channel: line, id: 3 });
  await back(c, [line, company]);
  assert.deepEqual(listed(), ['1 earlier', '2 earlier', 'begin', 'gap 1', '3 missed']);
});

test('an outage before the earlier events were read: they come with the return', async () => {
  earlierKept = true;
  const c = page();
  c.hear(line, 2);
  c.hold();
  journal = [1, 2, 3].map((id) => ({ channel: line, id }));
  await back(c, [line]);
  assert.deepEqual(listed(), ['1 earlier', 'begin', '2', 'gap 1', '3 missed']);
});

test('earlier events that cannot be read hold nothing back', async (t) => {
  const c = page();
  t.mock.method(globalThis, 'fetch', async () => new Response('{}', { status: 500 }));
  const begun = c.settled([line]);
  c.take(line, 'message', data_(3));
  await begun;
  assert.deepEqual(listed(), ['3']);
});

test('what was missed stands behind the outage, before what came since, and once', async () => {
  const c = page();
  await c.settled([line, company]);
  c.hear(line, 1);
  c.hold();
  journal = [{ channel: line, id: 1 }, { channel: company, id: 2 }, { channel: line, id: 3 }, { channel: line, id: 4 }];
  await back(c, [line, company], () => c.hear(line, 5));
  c.hear(line, 6);
  assert.deepEqual(listed(), ['1', 'gap 3', '2 missed', '3 missed', '4 missed', '5', '6']);
  assert.deepEqual(c.progress.value, { state: 'done', missed: 3, dropped: 0 });
});

test('a channel without an event resumes from where it began', async () => {
  const c = page();
  assert.deepEqual(c.paramsOf(line), { last_event_ids: '{}' });
  journal = [{ channel: company, id: 7 }];
  c.frame(line, 'chatcast:position', { eventId: 7 });
  c.hold();
  journal.push({ channel: line, id: 8 });
  await back(c, [line]);
  assert.deepEqual(listed(), ['gap 1', '8 missed']);
  assert.deepEqual(c.progress.value, { state: 'done', missed: 1, dropped: 0 });
});

test('when it is not known what was missed, a mark says so', async () => {
  const c = page();
  c.paramsOf(line); // the connection broke before the server told the position
  c.hold();
  await back(c, [line], () => c.hear(line, 3));
  assert.deepEqual(listed(), ['gap 0', '3']);
  assert.equal(gaps()[0].failed, true);
});

test('a channel that alone got no answer is read from where it fell silent', async () => {
  const c = page();
  await c.settled([line, company]);
  c.hear(line, 1);
  c.hold();
  journal = [{ channel: line, id: 1 }, { channel: company, id: 2 }, { channel: line, id: 3 }];
  c.silent(line);
  await back(c, [company]);
  assert.deepEqual(listed(), ['1', 'gap 1', '2 missed']);
  journal.push({ channel: line, id: 4 }, { channel: company, id: 5 });
  c.hear(company, 5);
  await back(c, [line, company], () => c.hear(line, 6));
  assert.deepEqual(listed(), ['1', 'gap 1', '2 missed', '5', `gap 2 of ${line}`, '3 missed', '4 missed', '6']);
  await c.settled([line, company]);
  assert.equal(gaps().length, 2, 'it is read once');
});

test('a channel that got no answer from the beginning is read from there', async () => {
  const c = page();
  journal = [{ channel: company, id: 1 }];
  c.silent(line);
  await c.settled([company]);
  journal.push({ channel: line, id: 2 });
  await back(c, [company, line]);
  assert.deepEqual(listed(), [`gap 1 of ${line}`, '2 missed']);
});

test('a channel that is away still when all others are away too', async () => {
  const c = page();
  c.hear(company, 1);
  journal = [{ channel: company, id: 1 }];
  c.silent(line);
  await c.settled([company]);
  journal.push({ channel: line, id: 2 }, { channel: company, id: 3 });
  c.hear(company, 3);
  c.hold();
  journal.push({ channel: company, id: 4 });
  await back(c, [company, line]);
  assert.deepEqual(listed(), ['1', '3', 'gap 2', '2 missed', '4 missed']);
});

test('what is held until all missed events are there has a bound, and what was dropped is counted', async () => {
  const c = page();
  c.hear(line, 1);
  journal = [{ channel: line, id: 1 }];
  c.hold();
  for (let i = 0; i < 3 * keepHeld; i++) c.take(line, 'orders', i);
  await back(c, [line]);
  const [gap] = gaps();
  const orders = entries().filter((e) => e.event === 'orders');
  assert.equal(orders.at(-1).data, 3 * keepHeld - 1, 'the newest are kept');
  assert.equal(gap.dropped + orders.length, 3 * keepHeld);
  assert.ok(orders.length < 2 * keepHeld);
  assert.deepEqual(c.progress.value, { state: 'done', missed: 0, dropped: gap.dropped });
});

test('away again while reading: one outage', async () => {
  const c = page();
  c.hear(line, 1);
  journal = [{ channel: line, id: 2 }];
  c.hold();
  const first = c.settled([line]);
  c.hold();
  await first;
  assert.deepEqual(listed(), ['1']);
  await back(c, [line]);
  assert.deepEqual(listed(), ['1', 'gap 1', '2 missed']);
});

test('away again amid what was missed: one outage, and nothing twice', async () => {
  const c = page();
  c.hear(line, 1);
  journal = [2, 3, 4].map((id) => ({ channel: line, id }));
  c.hold();
  c.paramsOf(line);
  const first = c.settled([line]);
  c.hear(line, 2);
  c.hear(line, 3);
  c.hold();
  await first;
  await back(c, [line]);
  assert.deepEqual(listed(), ['1', 'gap 3', '2 missed', '3 missed', '4 missed']);
});

test('what was missed and does not come holds the list back for a while only', async () => {
  const c = page();
  c.hear(line, 1);
  journal = [1, 2, 3].map((id) => ({ channel: line, id }));
  c.hold();
  c.paramsOf(line);
  mock.timers.enable({ apis: ['setTimeout'] });
  const closing = c.settled([line]);
  for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done)); // the journal's end is read
  mock.timers.tick(patience - 1);
  c.hear(line, 2);
  mock.timers.tick(patience - 1);
  assert.equal(c.progress.value.state, 'reading');
  mock.timers.tick(1);
  mock.timers.reset();
  await closing;
  assert.equal(c.progress.value.state, 'failed');
  assert.deepEqual(listed(), ['1', 'gap 0', '2']);
});

test('the list is bounded, and cleared until that is undone', () => {
  for (let i = 0; i < keepEntries + 1500; i++) add({ time: 0, channel: line, event: 'message', data: null, eventId: i, missed: false });
  assert.ok(entries().length <= keepEntries + 1000);
  assert.equal(entries().at(-1).eventId, keepEntries + 1499);
  const before = generation.value;
  const newest = entries().at(-1);
  const undo = clear();
  assert.equal(entries().length, 0);
  add({ time: 0, channel: line, event: 'message', data: null, eventId: null, missed: false });
  undo();
  assert.equal(entries().length, keepEntries);
  assert.equal(entries().at(-2), newest);
  assert.ok(generation.value > before);
});

test('another user sees nothing of it, and cannot undo it back', () => {
  belongTo(1);
  add({ time: 0, channel: line, event: 'message', data: null, eventId: 1, missed: false });
  const undo = clear();
  undo();
  assert.equal(entries().length, 1);
  const again = clear();
  belongTo(2);
  again();
  assert.equal(entries().length, 0);
  assert.equal(counts.size, 0);
});

test('what apps and other pages send has no number of the journal, whatever it says', async () => {
  const c = page();
  journal = [{ channel: line, id: 1 }];
  await c.settled([line]);
  c.frame(line, 'client-typing', data_(2)); // anybody on the channel may send it
  c.take(line, 'orders', data_(3));
  c.take(line, 'message', data_(2.5));
  c.take(line, 'message', data_(1e300));
  c.hold();
  journal.push({ channel: line, id: 2 }, { channel: line, id: 3 });
  await back(c, [line], () => c.frame(line, 'client-typing', data_(2)));
  assert.deepEqual(listed(), ['null', 'null', 'null', 'null', 'gap 2', '2 missed', '3 missed', 'null']);
});

test('a place that is not of this journal is looked for anew', async () => {
  const c = page();
  c.hear(line, 7); // the database was another one before the outage
  c.hold();
  journal = [{ channel: line, id: 1 }];
  await back(c, [line]);
  assert.equal(c.progress.value.state, 'failed');
  c.hold();
  journal.push({ channel: line, id: 2 });
  await back(c, [line]);
  assert.deepEqual(c.progress.value, { state: 'done', missed: 1, dropped: 0 });
  assert.deepEqual(listed(), ['7', 'gap 0', 'gap 1', '2 missed']);
});
