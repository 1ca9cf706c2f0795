// The settings of a line: what the form makes of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { changes, chosen, proxyOf, proxyURL, settings } = await load('src/views/send/setting.ts');

test('a proxy is taken apart, without its password', () => {
  assert.deepEqual(proxyOf(null), { address: '', user: '', password: '', kept: false });
  assert.deepEqual(proxyOf('http://proxy.example:3128'), { address: 'http://proxy.example:3128', user: '', password: '', kept: false });
  assert.deepEqual(proxyOf('socks5://me%40shop:***@proxy.example:1080'), { address: 'socks5://proxy.example:1080', user: 'me@shop', password: '', kept: true });
  assert.deepEqual(proxyOf('https://me@[2001:db8::1]:443'), { address: 'https://[2001:db8::1]:443', user: 'me', password: '', kept: false });
});

test('and put together', () => {
  const before = 'socks5://me:***@proxy.example:1080';
  const shown = proxyOf(before);
  for (const [name, change, want] of [
    ['unchanged', {}, { url: before }],
    ['none any more', { address: ' ' }, { url: null }],
    ['another address without the password', { address: 'socks5://other.example:1080' }, { error: 'again' }],
    ['another user without the password', { user: 'you' }, { error: 'again' }],
    ['another password', { password: 'p@ss:w/rd*' }, { url: 'socks5://me:p%40ss%3Aw%2Frd%2A@proxy.example:1080' }],
    ['no address', { address: 'proxy.example', password: 'x' }, { error: 'form' }],
    ['an address with a user', { address: 'http://me:x@proxy.example', password: 'x' }, { error: 'form' }],
    ['another kind', { address: 'ftp://proxy.example', password: 'x' }, { error: 'form' }],
  ]) assert.deepEqual(proxyURL({ ...shown, ...change }, before), want, name);
  assert.deepEqual(proxyURL({ ...proxyOf(null), address: 'http://proxy.example:3128' }, null), { url: 'http://proxy.example:3128' });
  assert.deepEqual(proxyURL({ ...proxyOf(null), address: 'http://proxy.example:3128', user: 'me' }, null), { url: 'http://me@proxy.example:3128' });
  assert.deepEqual(proxyURL(proxyOf('http://me@proxy.example'), 'http://me@proxy.example'), { url: 'http://me@proxy.example' });
});

test('options of choices are values', () => {
  assert.deepEqual(['', 'true', 'false', '0', '604800'].map(chosen), [null, true, false, 0, 604800]);
});

test('only what changed is sent', () => {
  const stored = Object.fromEntries(settings.map((s) => [s.key, s.kind === 'switch' ? false : s.kind === 'text' ? '' : null]));
  assert.deepEqual(changes(stored, stored), {});
  for (const { key } of settings) assert.deepEqual(changes(stored, { ...stored, [key]: 'other', unknown: 1 }), { [key]: 'other' });
});
