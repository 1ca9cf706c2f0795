// What the view of the audit log asks for, and how it shows details.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { isFiltered, query } = await load('src/views/audit/filter.ts');
const { facts } = await load('src/views/audit/facts.ts');

const everything = { companyId: 2224, noun: '', userId: 0, from: '', to: '' };

test('a filter asks for what it names, and days are whole', () => {
  assert.equal(query(everything), 'companyId=2224&limit=50');
  assert.equal(isFiltered(everything), false);
  const f = { companyId: 2224, noun: 'session', userId: 685, from: '2026-03-01', to: '2026-03-01' };
  assert.equal(isFiltered(f), true);
  const q = new URLSearchParams(query(f, 'a b'));
  assert.equal(q.get('action'), 'session');
  assert.equal(q.get('userId'), '685');
  assert.equal(q.get('nextPage'), 'a b');
  assert.equal(new Date(q.get('from') * 1000).getHours(), 0);
  assert.equal(q.get('to') - q.get('from'), 86_399);
});

test('a detail stands beside what was before', () => {
  assert.deepEqual(facts({ role: 'admin', roleBefore: 'operator', newAccount: 'true' }), [
    { name: 'role', value: 'admin', before: 'operator' },
    { name: 'newAccount', value: 'true' },
  ]);
  assert.deepEqual(facts({ stateBefore: 'connected' }), [{ name: 'stateBefore', value: 'connected' }]);
  assert.deepEqual(facts({ reason: 'wrong_password' }), [{ name: 'reason', value: 'wrong password, or no such account' }]);
  assert.deepEqual(facts({ name: 'a\u202eb' }), [{ name: 'name', value: 'ab' }], 'what turns the text around is left out');
});
