// What the package does at run time, with the real pusher-js and Laravel Echo.
// Prints one line of JSON, which server/console/events_package_test.go compares
// with the server's own names. Usage: node test/runtime.mjs FILE, where FILE is the
// built index.js.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const events = await import(pathToFileURL(process.argv[2]).href);
const { asEvent, echoName, eventNames, isEvent, listen, presenceOf, stopListening, typed } = events;

const line = events.licenseChannel(1229, 'grWhatsApp');
const data = { payload: { data: [{}], meta: { type: 'message', licenseId: 1229, messengerType: 'grWhatsApp', eventId: 1 } } };

// arrive delivers a frame of the server to the channel.
const arrive = (channel, event) => channel.handleEvent({ event, channel: channel.name, data });

// A client that never connects, with real channels.
function offline(name) {
  const module = require(name);
  const Pusher = module.default ?? module.Pusher ?? module;
  const client = new Pusher('key', { wsHost: '127.0.0.1', wsPort: 9, forceTLS: false, cluster: '', enabledTransports: ['ws'] });
  client.disconnect();
  return { Pusher, client };
}

for (const name of ['pusher-js', 'pusher-js-7']) {
  const { client } = offline(name);
  const raw = client.subscribe(line);
  const channel = typed(raw);
  assert.equal(channel, raw, `${name}: typed gives the channel itself`);

  const heard = [];
  const handler = (got, metadata) => heard.push(got === data, metadata);
  assert.equal(channel.bind('message', handler), raw, `${name}: bind can be chained`);
  channel.bind_global((event, got) => heard.push(event, got === data));
  arrive(raw, 'message');
  arrive(raw, 'somethingNew');
  assert.deepEqual(heard, ['message', true, true, {}, 'somethingNew', true], `${name}: what the handlers are given`);

  channel.unbind('message', handler).unbind_global();
  arrive(raw, 'message');
  assert.equal(heard.length, 6, `${name}: unbind finds the handler`);
}

const { Pusher, client } = offline('pusher-js');
const { default: Echo } = await import('laravel-echo');
const echo = new Echo({ broadcaster: 'pusher', key: 'key', cluster: '', client, Pusher });
const channel = echo.private(echoName(line));
let times = 0;
const handler = (got) => (times += got === data ? 1 : 0);
assert.equal(listen(channel, 'message', handler), channel, 'listen gives the channel');
arrive(client.channel(line), 'message');
assert.equal(times, 1, 'listen hears the event without a namespace before it');
stopListening(channel, 'message', handler);
arrive(client.channel(line), 'message');
assert.equal(times, 1, 'stopListening takes the handler off');

assert.ok(eventNames.every(isEvent));
for (const name of ['mesage', 'toString', '']) assert.equal(isEvent(name), false);
assert.equal(asEvent('toString', data), undefined);
assert.deepEqual(asEvent('message', data), { name: 'message', data });

const on = [line, events.companyChannel(2224), events.userChannel(685)].map(events.eventsOn);
assert.deepEqual(on.flat(), [...eventNames], 'each event comes on one kind of channel');
assert.deepEqual(events.eventsOn(events.companyUserChannel(2224, 685)), on[0]);
for (const other of [presenceOf(line), 'private-v1.licenses.1229', 'orders']) assert.deepEqual(events.eventsOn(other), []);
assert.throws(() => eventNames.push('more'), TypeError);

console.log(JSON.stringify({
  events: [...eventNames].sort(),
  line, company: events.companyChannel(2224), user: events.userChannel(685), companyUser: events.companyUserChannel(2224, 685),
  presence: presenceOf(events.companyChannel(2224)),
}));
process.exit(0); // not held up by the clients' timers
