// The snippets hold whatever letters a server's settings have, and stay code.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { load } from './load.mjs';

const { kinds, snippet } = await load('src/views/connect/snippets.ts');

const facts = (more) => ({
  key: 'ChatsAppApiProdKey', at: { host: 'crm.example.com', port: 8443, tls: true, path: '', url: 'https://crm.example.com:8443' },
  channel: 'private-v1.licenses.1229.messengers.grWhatsApp', events: ['message', 'chatTag'], email: 'owner@example.com',
  line: { licenseId: 1229, type: 'grWhatsApp' }, ...more,
});
const code = (kind, f) => snippet(kind, f).blocks.map((b) => b.code).join('\n');
const nasty = `a'b"c\\d</script><!--\`\${x}$(y)\u2028`;

/** said runs the script with libraries that only note what they are got. */
function run(kind, f) {
  const got = {};
  const any = () => new Proxy(function () {}, { get: () => any(), apply: () => any() });
  class Pusher {
    connection = any();
    constructor(key, options) { Object.assign(got, { key, options }); }
    subscribe(channel) { got.channel = channel; got.events = []; return { bind: (e) => got.events.push(e) }; }
  }
  class Default {
    connector = any();
    constructor(options) { Object.assign(got, { key: options.key, options }); }
    private(channel) { got.channel = `private-${channel}`; got.events = []; return { subscribed() {}, error() {}, listen: (e) => got.events.push(e.slice(1)) }; }
  }
  new Function('Pusher', 'Echo', 'console', snippet(kind, f).run.script)(Pusher, { default: Default }, { log() {}, error() {} });
  return got;
}

for (const kind of ['pusher8', 'pusher7', 'echo']) {
  test(`${kind} says what the server is, whatever letters it has`, () => {
    for (const key of ['ChatsAppApiProdKey', nasty]) {
      const f = facts({ key });
      const got = run(kind, f);
      assert.equal(got.key, key);
      assert.equal(got.channel, f.channel);
      assert.deepEqual(got.events.filter((e) => !e.startsWith('pusher:')), f.events);
      const { wsHost, wsPort, wssPort, forceTLS, enabledTransports } = got.options;
      assert.deepEqual({ wsHost, wsPort, wssPort, forceTLS, enabledTransports }, { wsHost: 'crm.example.com', wsPort: 8443, wssPort: 8443, forceTLS: true, enabledTransports: ['ws', 'wss'] });
      assert.ok(snippet(kind, f).blocks[0].code.includes(snippet(kind, f).run.script), 'what is tried is what is shown');
    }
  });

  test(`${kind} loads from its own server alone, and nothing ends its script early`, () => {
    const page = code(kind, facts({ key: nasty }));
    const sources = [...page.matchAll(/src="([^"]*)"/g)].map((m) => m[1]);
    assert.ok(sources.length > 0 && sources.every((s) => s.startsWith('https://crm.example.com:8443/lib/')), sources.join());
    assert.equal(page.split('</script>').length - 1, sources.length + 1);
    assert.equal(page.split('<!--').length - 1, 1, 'the comment of the page');
  });
}

test('what is under a path is asked for there', () => {
  const f = facts({ at: { host: 'example.com', port: 443, tls: true, path: '/chat', url: 'https://example.com/chat' } });
  for (const kind of ['pusher8', 'pusher7', 'echo']) {
    assert.equal(run(kind, f).options.wsPath, '/chat', kind);
    assert.equal(run(kind, facts()).options.wsPath, undefined, kind);
    assert.ok(code(kind, f).includes('src="https://example.com/chat/lib/'), kind);
    assert.ok(code(kind, f).includes("'https://example.com/chat/broadcasting/auth'"), kind);
  }
  for (const kind of ['curl', 'go']) assert.ok(code(kind, f).includes('https://example.com/chat'), kind);
});

test('curl is read by a shell as it was meant', () => {
  const email = `o'ner"$(touch x)\`@example.com`;
  const blocks = snippet('curl', facts({ email })).blocks;
  for (const b of blocks) execFileSync('sh', ['-n'], { input: b.code });
  const fetching = blocks[0].code.replaceAll(/^# (?=TOKEN| )/gm, ''); // the line that is offered
  const words = execFileSync('sh', [], { input: `curl() { printf '%s\\n' "$@"; }\n${fetching}\nprintf '%s' "$TOKEN"` }).toString();
  assert.ok(words.includes(`email=${email}`), words);
});

test('without a line to write on there is nothing about writing', () => {
  assert.ok(code('curl', facts()).includes('/inbound'));
  assert.ok(!code('curl', facts({ line: null })).includes('/inbound'));
});

test('every kind has a token to put in, and none is in it', () => {
  for (const kind of kinds) assert.ok(code(kind, facts()).includes('YOUR_ACCESS_TOKEN'), kind);
});
