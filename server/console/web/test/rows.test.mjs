// The list's rows: only what is new is sifted, and it comes to the same as all anew.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Sieve, indexAfter, noFilter } = await load('src/views/live/rows.ts');

const entry = (n, more = {}) => ({ n, time: n, channel: 'private-v1.users.1', event: 'message', data: { text: `number ${n}` }, eventId: n, missed: false, ...more });
const gap = (n) => ({ n, from: 0, to: 1, missed: 0, more: false, failed: false });
const numbers = (s) => s.rows.map((r) => r.n);
const summary = (e) => `Anna: ${e.data.text}`;
const sieve = () => new Sieve(summary);
const filter = (more) => ({ ...noFilter, ...more });

test('what comes is appended, with outages in their places', () => {
  const s = sieve();
  const entries = [entry(1), entry(2)];
  s.sift({ entries, gaps: [], generation: 0 }, noFilter);
  assert.deepEqual(numbers(s), [1, 2]);
  entries.push(entry(4));
  s.sift({ entries, gaps: [gap(3), gap(5)], generation: 0 }, noFilter);
  s.sift({ entries, gaps: [gap(3), gap(5)], generation: 0 }, noFilter);
  assert.deepEqual(numbers(s), [1, 2, 3, 4, 5]);
  assert.equal(s.shown, 3);
});

test('an outage before the first event stays', () => {
  const s = sieve();
  s.sift({ entries: [], gaps: [gap(1)], generation: 0 }, noFilter);
  s.sift({ entries: [entry(2)], gaps: [gap(1)], generation: 0 }, noFilter);
  s.sift({ entries: [entry(2), entry(3)], gaps: [gap(1)], generation: 0 }, noFilter);
  assert.deepEqual(numbers(s), [1, 2, 3]);
});

test('what the log has dropped goes', () => {
  const s = sieve();
  s.sift({ entries: [entry(1), entry(3), entry(4)], gaps: [gap(2)], generation: 0 }, noFilter);
  s.sift({ entries: [entry(4), entry(5)], gaps: [gap(2)], generation: 0 }, noFilter);
  assert.deepEqual(numbers(s), [4, 5]);
  assert.equal(s.shown, 2);
});

test('what was sifted is not looked at again, until the filter or the list is another one', () => {
  let looks = 0;
  const s = new Sieve((e) => (looks++, summary(e)));
  const entries = Array.from({ length: 100 }, (_, i) => entry(i + 1));
  const f = filter({ text: 'anna' });
  s.sift({ entries, gaps: [], generation: 0 }, f);
  assert.equal(looks, 100);
  entries.push(entry(101));
  s.sift({ entries, gaps: [], generation: 0 }, f);
  assert.equal(looks, 101);
  s.sift({ entries, gaps: [], generation: 1 }, f);
  assert.equal(looks, 202);
  assert.equal(s.shown, 101);
});

test('a list that was cleared is empty', () => {
  const s = sieve();
  s.sift({ entries: [entry(1)], gaps: [gap(2)], generation: 0 }, noFilter);
  s.sift({ entries: [], gaps: [], generation: 1 }, noFilter);
  assert.deepEqual(numbers(s), []);
  assert.equal(s.shown, 0);
});

test('conditions hold together', () => {
  const entries = [
    entry(1), entry(2, { event: 'chatTag' }), entry(3, { channel: 'private-v1.companies.1' }),
    entry(4, { data: { text: 'x', deep: [{ id: 'ORDER-7' }] } }), entry(5, { data: undefined, event: 'orderPaid' }),
  ];
  const numbersWith = (f) => {
    const s = new Sieve((e) => `Anna: ${e.data?.text}`);
    s.sift({ entries, gaps: [], generation: 0 }, filter(f));
    return numbers(s);
  };
  assert.deepEqual(numbersWith({ hidden: new Set(['private-v1.companies.1']) }), [1, 2, 4, 5]);
  assert.deepEqual(numbersWith({ events: new Set(['chatTag', 'orderPaid']) }), [2, 5]);
  assert.deepEqual(numbersWith({ text: ' NUMBER ' }), [1, 2, 3]);
  assert.deepEqual(numbersWith({ text: 'order-7' }), [4]);
  assert.deepEqual(numbersWith({ text: 'orderpaid' }), [5]);
  assert.deepEqual(numbersWith({ text: 'companies.1' }), [3]);
  assert.deepEqual(numbersWith({ text: 'number', events: new Set(['message']), hidden: new Set(['private-v1.companies.1']) }), [1]);
});

test('indexAfter finds the place of a number, there or not', () => {
  const rows = [{ n: 2 }, { n: 5 }, { n: 9 }];
  assert.deepEqual([0, 2, 3, 5, 9, 10].map((n) => indexAfter(rows, n)), [0, 1, 1, 2, 3, 3]);
});
