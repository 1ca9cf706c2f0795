// What the extension for passkeys lets be signed, and for whom.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOf, Refused, timeLeft, toSign, trusted } from '../../clients/passkey/options.js';

const challenge = 'mkWjqwmdbAcoTVSMzGTFxh3L5Q8UKhhyYWmYYYUbLsE';
const options = {
  challenge, timeout: 60_000, rpId: 'whatsapp.com', userVerification: 'required', extensions: {},
  allowCredentials: [{ id: 'q83vEjRWeJA', type: 'public-key', transports: ['internal', 'hybrid'] }],
};
const step = { options, origin: 'https://web.whatsapp.com', code: null };
const changed = (change) => ({ ...step, options: { ...options, ...change } });

test('what WhatsApp asks for is built again, field by field', () => {
  const { extensions: _, ...known } = options;
  assert.deepEqual(toSign(step, 90_000), known);
  const more = changed({ extensions: { appid: 'https://evil.example' }, hints: ['client-device'], mediation: 'silent', password: true, userVerification: 'none at all' });
  more.options.allowCredentials = [{ ...options.allowCredentials[0], transports: ['internal', 'telepathy', 7], more: 1 }];
  assert.deepEqual(toSign(more, 90_000), { ...known, allowCredentials: [{ id: 'q83vEjRWeJA', type: 'public-key', transports: ['internal'] }] });
  assert.deepEqual(toSign(changed({ allowCredentials: undefined }), 90_000).allowCredentials, []);
  for (const [timeout, left, want] of [[60_000, 1000, 1000], [60_000, 90_000, 60_000], [undefined, 5000, 5000], [-1, 5000, 5000], ['1', 5000, 5000]]) {
    assert.equal(toSign(changed({ timeout }), left).timeout, want, `${timeout} of ${left}`);
  }
});

test('nothing else is signed', () => {
  for (const [name, bad] of Object.entries({
    'no step': null, 'no options': { ...step, options: null }, 'text as options': { ...step, options: 'x' },
    'another page': { ...step, origin: 'https://web.whatsapp.com.example' }, 'a page without https': { ...step, origin: 'http://web.whatsapp.com' }, 'no page': { options },
    'another site': changed({ rpId: 'example.com' }), 'a site above': changed({ rpId: 'com' }), 'a site below': changed({ rpId: 'x.web.whatsapp.com' }), 'no site': changed({ rpId: undefined }),
    'no challenge': changed({ challenge: undefined }), 'a short challenge': changed({ challenge: 'aGk' }), 'a long one': changed({ challenge: 'A'.repeat(2000) }),
    'another base64': changed({ challenge: `${challenge}+/` }), 'passkeys that are no list': changed({ allowCredentials: {} }),
    'a passkey of another type': changed({ allowCredentials: [{ id: 'AAAA', type: 'password' }] }), 'a passkey without an id': changed({ allowCredentials: [{ type: 'public-key' }] }),
    'too many passkeys': changed({ allowCredentials: Array(65).fill(options.allowCredentials[0]) }),
  })) assert.throws(() => toSign(bad, 60_000), Refused, name);
});

test('the time of a pairing counts, by the server’s clock', () => {
  assert.equal(timeLeft(1000, 0, 940_000), 60_000);
  assert.equal(timeLeft(1000, -3600_000, 4540_000), 60_000);
  assert.equal(timeLeft(100_000, 0, 0), 600_000);
  assert.throws(() => timeLeft(1000, 0, 1000_000), (e) => e.why === 'expired');
  assert.throws(() => timeLeft(1000, 120_000, 900_000), (e) => e.why === 'expired');
  for (const bad of [undefined, null, '1000', NaN]) assert.throws(() => timeLeft(bad, 0, 0), Refused);
});

test('consoles that may use passkeys', () => {
  for (const address of ['https://chat.example/', 'https://chat.example:6001/base/', 'http://127.0.0.1:6001/', 'http://localhost/', 'http://chat.localhost:80/base/']) {
    assert.ok(trusted(address), address);
  }
  for (const address of ['', 'chat.example', 'http://chat.example/', 'http://192.168.1.5/', 'http://localhost.example/', 'http://127.0.0.1.example/', 'file:///etc', 'http://[::1]/', 'data:text/html,x']) {
    assert.ok(!trusted(address), address);
  }
});

test('lines', () => {
  assert.deepEqual(lineOf({ licenseId: 1229, messenger: 'grWhatsApp', more: 1 }), { licenseId: 1229, messenger: 'grWhatsApp' });
  for (const bad of [undefined, null, {}, { licenseId: '1229', messenger: 'grWhatsApp' }, { licenseId: 1, messenger: '../x' }, { licenseId: 1, messenger: 'a/b' }, { licenseId: -1, messenger: 'a' }, { licenseId: 1.5, messenger: 'a' }]) {
    assert.equal(lineOf(bad), undefined, JSON.stringify(bad));
  }
});
