// Where the list stands while rows come behind it and go before it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Place } = await load('src/views/live/place.ts');

const rows = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => ({ n: from + i }));
const top = (p, r) => p.top(r, 10, 100);

test('it follows the newest', () => {
  const p = new Place();
  assert.equal(top(p, rows(1, 5)), 0);
  assert.equal(top(p, rows(1, 50)), 400);
  assert.equal(top(p, rows(1, 60)), 500);
});

test('who scrolls up stays at the same row, whatever comes and goes', () => {
  const p = new Place();
  p.scrolled(rows(1, 50), 10, 100, 203);
  assert.equal(p.follow, false);
  assert.equal(p.seen, 50);
  assert.equal(top(p, rows(1, 60)), 203);
  assert.equal(top(p, rows(11, 70)), 103);
  assert.equal(top(p, rows(31, 90)), 3, 'the row is gone: the next one stands for it');
  p.scrolled(rows(1, 60), 10, 100, 300);
  assert.equal(p.seen, 50, 'what is new is counted from where it stopped following');
});

test('who scrolls down to the end follows again', () => {
  const p = new Place();
  p.scrolled(rows(1, 50), 10, 100, 203);
  p.scrolled(rows(1, 50), 10, 100, 400);
  assert.equal(top(p, rows(1, 60)), 500);
});

test('a row is shown by moving no further than needed', () => {
  const p = new Place();
  const r = rows(1, 50);
  p.show(r, 10, 100, 20);
  assert.equal(top(p, r), 190);
  p.show(r, 10, 100, 25);
  assert.equal(top(p, r), 190);
  p.show(r, 10, 100, 35);
  assert.equal(top(p, r), 250);
  p.show(r, 10, 100, 50);
  assert.ok(p.follow);
  p.show(r, 10, 100, 99);
  assert.ok(p.follow, 'a row that is not there changes nothing');
});
