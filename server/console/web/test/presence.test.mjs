// Who is here, when a user works for several companies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { present, presentIn, seeIn, seeNobody } = await load('src/presence.ts');
const [me, ann, bob] = [{ id: '1', name: 'Me' }, { id: '2', name: 'Ann' }, { id: '3', name: 'Bob' }];
const here = () => present.value.map((p) => p.name).join(' ');

test('those of all companies are here, each once, by name', () => {
  seeIn(7, [me, bob]);
  seeIn(8, [me, ann]);
  assert.equal(here(), 'Ann Bob Me');
  assert.deepEqual(presentIn.value.get(8), [ann, me]);
  seeIn(7, [me]);
  assert.equal(here(), 'Ann Me');
  seeNobody();
  assert.equal(here(), '');
});
