// No module of the console imports itself by way of others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circles, imports } from './imports.mjs';

test('modules do not import each other in a circle', () => {
  const graph = imports('src');
  assert.ok(graph.get('main.tsx')?.includes('app.tsx') && graph.get('app.tsx').includes('views/send/index.tsx'), 'imports are not seen');
  assert.deepEqual(circles(graph), []);
});

test('a circle is found', () => {
  const graph = new Map([['a', ['b']], ['b', ['c', 'd']], ['c', ['a']], ['d', []], ['e', ['e']]]);
  assert.deepEqual(circles(graph), [['a', 'b', 'c'], ['e']]);
});
