// What Resume does, with the real pusher-js 7 and 8 and Laravel Echo, which ask a server
// of this test for authorization. Usage: node test/resume.mjs FILE, where FILE is the
// built index.js.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const { Resume, eventId, licenseChannel, companyChannel, echoName } = await import(pathToFileURL(process.argv[2]).href);
const { default: Echo } = await import('laravel-echo');
const [line, company] = [licenseChannel(1229, 'grWhatsApp'), companyChannel(2224)];

// The server that signs. asked gives its requests in order.
const requests = [];
const waiting = [];
const server = createServer((req, res) => {
  let body = '';
  req.on('data', (part) => (body += part));
  req.on('end', () => {
    const form = Object.fromEntries(new URLSearchParams(body));
    res.end(JSON.stringify({ auth: 'key:signature' }));
    const waiter = waiting.shift();
    if (waiter) waiter(form);
    else requests.push(form);
  });
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const endpoint = `http://127.0.0.1:${server.address().port}/broadcasting/auth`;
const asked = () => new Promise((done) => (requests.length > 0 ? done(requests.shift()) : waiting.push(done)));
const ids = (form) => (form.last_event_ids === undefined ? undefined : JSON.parse(form.last_event_ids));

const nothing = { last_event_ids: '{}' }; // of a page that has seen nothing

const clients = [];
after(() => {
  for (const c of clients) c.disconnect();
  server.closeAllConnections();
  server.close();
});

const classOf = (name) => {
  const module = require(name);
  return module.default ?? module.Pusher ?? module;
};
const address = { wsHost: '127.0.0.1', wsPort: 9, forceTLS: false, cluster: '', enabledTransports: ['ws'] };

// The ways in which a page gives Resume to a client.
const ways = {
  'pusher-js 8': (r) => [new (classOf('pusher-js'))('key', { ...address, channelAuthorization: { transport: 'ajax', endpoint, paramsProvider: r.paramsProvider } })],
  'pusher-js 8, its old option': (r) => [new (classOf('pusher-js'))('key', { ...address, authEndpoint: endpoint, auth: r.auth() })],
  'pusher-js 7': (r) => [new (classOf('pusher-js-7'))('key', { ...address, authEndpoint: endpoint, auth: r.auth({ Authorization: 'token' }) })],
  'Laravel Echo': (r) => {
    const echo = new Echo({ ...address, broadcaster: 'pusher', key: 'key', Pusher: classOf('pusher-js'), bearerToken: 'token', authEndpoint: endpoint, auth: r.auth() });
    return [echo.connector.pusher, echo];
  },
};

// connect makes a client believe that it has a connection, the next one each time.
let sockets = 0;
function connect(client) {
  client.disconnect();
  client.connection.state = 'connected';
  client.connection.socket_id = `1.${++sockets}`;
  client.connection.emit('connected', { socket_id: client.connection.socket_id });
  return client.connection.socket_id;
}
const data = (id) => ({ payload: { data: [{}], meta: { type: 'message', eventId: id } } });
const arrive = (client, channel, event, content) => client.connection.emit('message', { event, channel, data: content });
const live = (client, channel) => arrive(client, channel, 'pusher_internal:subscription_succeeded', {});

function follow(way, options) {
  const resume = new Resume(options);
  const [client, echo] = ways[way](resume);
  clients.push(client);
  client.disconnect();
  resume.follow(echo ?? client);
  return { resume, client, echo };
}

for (const way of Object.keys(ways)) {
  test(`${way}: each subscription after the first names the last event of its channel`, async () => {
    const { client, echo } = follow(way, {});
    const first = connect(client);
    if (echo) echo.private(echoName(line));
    else client.subscribe(line);
    assert.deepEqual(await asked(), { socket_id: first, channel_name: line, last_event_ids: '{}' });
    live(client, line);
    arrive(client, line, 'message', data(7));
    client.subscribe(company);
    assert.deepEqual(ids(await asked()), { [line]: 7 });
    live(client, company);
    arrive(client, company, 'employeeStatus', data(9));
    arrive(client, line, 'message', data(8));

    const second = connect(client);
    const forms = [await asked(), await asked()];
    assert.deepEqual(forms.map((f) => f.channel_name).sort(), [company, line]);
    for (const form of forms) {
      assert.deepEqual({ ...form, last_event_ids: ids(form) }, {
        socket_id: second, channel_name: form.channel_name, last_event_ids: { [line]: 8, [company]: 9 }, previous_socket_id: first,
      });
    }
    live(client, line);
    live(client, company);
    connect(client);
    for (let i = 0; i < 2; i++) assert.equal((await asked()).previous_socket_id, second, 'the last socket, not the first');
  });
}

test('an event counts when its handlers have run, and not when one fails', () => {
  const { resume, client } = follow('pusher-js 8', {});
  const channel = client.subscribe(line);
  let during;
  channel.bind('message', () => (during = resume.lastEventId(line)));
  arrive(client, line, 'message', data(1));
  assert.equal(during, undefined);
  assert.equal(resume.lastEventId(line), 1);
  const broken = () => {
    throw new Error('of the page');
  };
  channel.bind('chatTag', broken);
  assert.throws(() => arrive(client, line, 'chatTag', data(2)), /of the page/);
  assert.equal(resume.lastEventId(line), 1);
  channel.unbind_all();
  arrive(client, line, 'chatTag', data(3));
  assert.equal(resume.lastEventId(line), 3, 'removing the handlers of the page leaves Resume alone');
});

test('an id never goes back, and is read from the events of the server alone', () => {
  const { resume, client } = follow('pusher-js 8', {});
  client.subscribe(line);
  for (const [event, content] of [
    ['message', data(5)], ['message', data(4)], ['client-typing', data(9)], ['pusher:pong', data(9)], ['message', data(2.5)], ['message', data('9')],
    ['message', data(1e300)], ['message', data(-1)], ['message', null], ['message', 'text'], ['message', { payload: null }], ['message', undefined],
  ]) arrive(client, line, event, content);
  assert.equal(resume.lastEventId(line), 5);
  arrive(client, line, 'of a newer server', data(6));
  assert.equal(resume.lastEventId(line), 6);
  arrive(client, company, 'employeeStatus', data(7));
  assert.equal(resume.lastEventId(company), undefined, 'the page has not subscribed to it');
  resume.seen(line, 3);
  assert.equal(resume.lastEventId(line), 6);
  assert.equal(eventId('message', data(6)), 6);
  resume.seen(company, 0);
  assert.deepEqual(resume.paramsOf(company), { last_event_id: '0' }, 'before the first event of all');
});

test('a channel without an event begins where the server says', async () => {
  const resumed = [];
  const { resume, client } = follow('pusher-js 8', { onResumed: (...args) => resumed.push(args) });
  connect(client);
  client.subscribe(line);
  await asked();
  live(client, line);
  arrive(client, line, 'chatcast:position', { eventId: 0 });
  assert.equal(resume.lastEventId(line), 0);
  arrive(client, line, 'chatcast:position', { eventId: 5 });
  arrive(client, line, 'chatcast:position', { eventId: 4 });
  assert.equal(resume.lastEventId(line), 5);
  arrive(client, company, 'chatcast:position', { eventId: 6 });
  assert.equal(resume.lastEventId(company), undefined, 'the page has not subscribed to it');
  for (const odd of [{}, null, undefined, { eventId: '7' }, { eventId: -1 }]) arrive(client, line, 'chatcast:position', odd);
  assert.deepEqual(resumed, [[line, 0], [line, 5], [line, 4]]);
});

test('a resume that fails is told with the oldest event, and begins anew', async () => {
  const failed = [];
  const { resume, client } = follow('pusher-js 8', { onResumeFailed: (...args) => failed.push(args) });
  connect(client);
  client.subscribe(line);
  await asked();
  live(client, line);
  arrive(client, line, 'message', data(1000));
  connect(client);
  await asked();
  live(client, line);
  arrive(client, line, 'chatcast:resume_failed', { oldestEventId: 3 });
  assert.equal(resume.lastEventId(line), undefined);
  arrive(client, line, 'message', data(4));
  assert.equal(resume.lastEventId(line), 4, 'another journal has smaller ids');
  arrive(client, line, 'chatcast:resume_failed', { oldestEventId: 3, lastEventId: 2 });
  assert.equal(resume.lastEventId(line), 2, 'from there on the events come');
  for (const odd of [{}, null, { oldestEventId: 'x' }]) arrive(client, line, 'chatcast:resume_failed', odd);
  assert.deepEqual(failed, [[line, 3], [line, 3], [line, null], [line, null], [line, null]]);
});

// A Storage as browsers have it, which can be full.
function storage() {
  const map = new Map();
  return {
    map, full: false,
    getItem: (k) => map.get(k) ?? null,
    removeItem: (k) => map.delete(k),
    setItem(k, v) {
      if (this.full) throw new DOMException('full', 'QuotaExceededError');
      map.set(k, v);
    },
  };
}

test('a later page of the same user begins where the former ended, and no other', () => {
  const disk = storage();
  const one = new Resume({ key: 685, storage: disk });
  one.seen(line, 5);
  one.seen(company, 7);
  const next = new Resume({ key: 685, storage: disk });
  assert.deepEqual(ids(next.paramsProvider()), { [line]: 5, [company]: 7 });
  assert.deepEqual(next.paramsOf(line), { last_event_id: '5' });
  assert.deepEqual(next.paramsOf('private-other'), nothing);
  assert.deepEqual(new Resume({ key: 686, storage: disk }).paramsProvider(), nothing);
  next.forget(line);
  assert.deepEqual(ids(new Resume({ key: 685, storage: disk }).paramsProvider()), { [company]: 7 });
  new Resume({ key: 686, storage: disk }).seen(line, 1);
  next.forget();
  assert.deepEqual(next.paramsProvider(), nothing);
  assert.equal(disk.map.size, 1, 'what is stored of the other user stays');
});

test('a channel that is forgotten begins now, whatever the socket before had of it', () => {
  const resume = new Resume();
  resume.seen(line, 5);
  resume.seen(company, 7);
  resume.forget(line);
  assert.deepEqual(ids(resume.paramsProvider()), { [company]: 7, [line]: 'now' });
  assert.deepEqual(ids(resume.paramsOf(line)), { [line]: 'now' });
  resume.seen(line, 4);
  assert.deepEqual(ids(resume.paramsProvider()), { [company]: 7, [line]: 4 });
});

test('after signing out nothing is remembered, though the socket lives on for a moment', () => {
  const disk = storage();
  const { resume, client } = follow('pusher-js 7', { key: 1, storage: disk });
  client.subscribe(line);
  arrive(client, line, 'message', data(5));
  resume.forget();
  arrive(client, line, 'message', data(6));
  assert.deepEqual([resume.paramsProvider(), disk.map.size], [nothing, 0]);
});

test('two tabs with one storage: each resumes from what it has seen itself', () => {
  const disk = storage();
  const [a, b] = [new Resume({ storage: disk }), new Resume({ storage: disk })];
  b.seen(line, 50);
  a.seen(line, 100);
  b.seen(line, 60);
  assert.deepEqual([a.lastEventId(line), b.lastEventId(line)], [100, 60]);
  assert.equal(new Resume({ storage: disk }).lastEventId(line), 100, 'a slower tab takes nothing back');
  b.seen(company, 61);
  a.seen(company, 101);
  assert.deepEqual(ids(new Resume({ storage: disk }).paramsProvider()), { [line]: 100, [company]: 101 });
});

test('a storage that is full, broken or missing is done without', () => {
  const disk = storage();
  const resume = new Resume({ storage: disk });
  resume.seen(line, 1);
  disk.full = true;
  resume.seen(line, 2);
  assert.equal(resume.lastEventId(line), 2);
  assert.equal(new Resume({ storage: disk }).lastEventId(line), 1, 'older: nothing is missed');
  for (const text of ['{', 'null', '[1]', '"x"', `{"${line}":"5"}`, `{"${line}":-5}`]) {
    const odd = new Resume({ storage: { ...storage(), getItem: () => text } });
    assert.equal(odd.lastEventId(line), undefined, text);
    odd.seen(line, 3);
    assert.equal(odd.lastEventId(line), 3, text);
  }
  const refuse = () => {
    throw new DOMException('not allowed', 'SecurityError');
  };
  const refused = new Resume({ storage: { getItem: refuse, setItem: refuse, removeItem: refuse } });
  refused.seen(line, 4);
  assert.equal(refused.lastEventId(line), 4);
  refused.forget();
  Object.defineProperty(globalThis, 'localStorage', { get: refuse, configurable: true });
  new Resume({ storage: 'local' }).seen(line, 5);
  Object.defineProperty(globalThis, 'localStorage', { value: disk, configurable: true });
  assert.equal(new Resume({ storage: 'local' }).lastEventId(line), 1);
});

test('hundreds of channels: each is named in its own request, and no request is too long', async () => {
  const { resume, client } = follow('pusher-js 7', {});
  const names = Array.from({ length: 300 }, (_, i) => licenseChannel(i, 'grWhatsApp'));
  names.forEach((name, i) => resume.seen(name, 1_000_000 + i));
  for (const name of names) client.subscribe(name);
  connect(client);
  for (const [i] of names.entries()) {
    const form = await asked();
    assert.equal(ids(form)[form.channel_name], 1_000_000 + names.indexOf(form.channel_name), `request ${i}`);
    assert.ok(new URLSearchParams(form).toString().length < 10_000);
  }
});

test('hundreds of channels: one without room in the request loses nothing, and a new one begins now', async () => {
  const { resume, client } = follow('pusher-js 7', {});
  const names = Array.from({ length: 300 }, (_, i) => licenseChannel(i, 'grWhatsApp'));
  names.forEach((name, i) => resume.seen(name, 1_000_000 + i));
  for (const name of names) client.subscribe(name);
  connect(client);
  for (const _ of names) live(client, (await asked()).channel_name);
  client.subscribe(company); // it waits for its answer
  const fresh = await asked();
  assert.equal(ids(fresh)[company], 'now', 'it does not begin at an event of another channel');

  const without = names.filter((name) => !(name in ids(fresh)));
  assert.ok(without.length > 0);
  assert.equal(fresh.last_event_id, String(Math.min(...without.map((name) => resume.lastEventId(name)))));
  client.channel(without[0]).subscribed = false; // its authorization failed, and the page tries again
  client.subscribe(without[0]);
  const again = await asked();
  assert.equal(again.channel_name, without[0]);
  assert.ok((ids(again)[without[0]] ?? Number(again.last_event_id)) <= resume.lastEventId(without[0]));
});

test('a client that replaces another continues where that one ended', async () => {
  const { resume, client } = follow('pusher-js 8', {});
  const socket = connect(client);
  client.subscribe(line);
  await asked();
  arrive(client, line, 'message', data(5));
  const [next] = ways['pusher-js 7'](resume);
  clients.push(next);
  next.disconnect();
  const stop = resume.follow(next);
  arrive(client, line, 'message', data(6));
  assert.equal(resume.lastEventId(line), 5, 'the former client is not followed');
  next.subscribe(line);
  connect(next);
  const form = await asked();
  assert.deepEqual([ids(form), form.previous_socket_id], [{ [line]: 5 }, socket]);
  stop();
  arrive(next, line, 'message', data(7));
  assert.equal(resume.lastEventId(line), 5);
});

test('fields of the page go along', () => {
  const resume = new Resume();
  const { headers, params } = resume.auth({ Authorization: 'token' }, { tenant: 'a' });
  assert.deepEqual([headers, { ...params }], [{ Authorization: 'token' }, { tenant: 'a', ...nothing }]);
  resume.seen(line, 1);
  assert.deepEqual(Object.keys(params), ['tenant', 'last_event_ids']);
  assert.ok('tenant' in params && !('other' in params));
});
