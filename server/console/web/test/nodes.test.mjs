// The lines of the payload's tree.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { indent, nodes, pathText, preview } = await load('src/ui/nodes.ts');

const untouched = { open: new Map(), pages: new Map() };
const names = (list) => list.map((n) => (n.rest > 0 ? `+${n.rest}` : n.name));

test('what one looks for is open, what is deeper is folded', () => {
  const event = { payload: { data: [{ id: 1, chat: { id: 'x' } }], meta: { type: 'message' } } };
  assert.deepEqual(names(nodes(event, untouched)), ['', 'payload', 'data', '0', 'id', 'chat', 'meta', 'type']);
  const open = { ...untouched, open: new Map([['["payload","data",0,"chat"]', true], ['["payload","meta"]', false]]) };
  assert.deepEqual(names(nodes(event, open)), ['', 'payload', 'data', '0', 'id', 'chat', 'id', 'meta']);
});

test('a long array comes by the hundred', () => {
  const list = Array.from({ length: 250 }, (_, i) => i);
  assert.deepEqual(names(nodes(list, untouched)).slice(-2), ['99', '+150']);
  assert.deepEqual(names(nodes(list, { ...untouched, pages: new Map([['[]', 2]]) })).slice(-2), ['199', '+50']);
  assert.deepEqual(names(nodes(list, { ...untouched, pages: new Map([['[]', 3]]) })).slice(-1), ['249']);
});

test('a long text folds, a short one and what is empty do not', () => {
  const list = nodes({ long: 'x'.repeat(300), short: 'x', none: {}, empty: [], nothing: null }, untouched);
  assert.deepEqual(list.filter((n) => n.foldable).map((n) => [n.name, n.open]), [['', true], ['long', false]]);
});

test('any value is a tree', () => {
  for (const v of [undefined, null, 3, 'text', true, [], {}]) assert.equal(nodes(v, untouched).length, 1);
});

test('paths are as a program writes them', () => {
  assert.equal(pathText(['payload', 'data', 0, 'chat', 'a b', '1']), 'payload.data[0].chat["a b"]["1"]');
  assert.equal(pathText([0, 'x']), '[0].x');
  assert.equal(pathText([]), '');
});

test('a preview is short, whatever the value', () => {
  assert.equal(preview({ id: 1, name: 'Anna', deep: { a: 1 }, list: [1] }), '{id: 1, name: "Anna", deep: {…}, list: […]}');
  assert.ok(preview(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, 'x'.repeat(1000)]))).length < 140);
});

test('a thousand levels stay in their column', () => {
  const deep = JSON.parse('['.repeat(1000) + ']'.repeat(1000));
  const open = new Map(Array.from({ length: 1000 }, (_, i) => [JSON.stringify(Array(i).fill(0)), true]));
  const list = nodes(deep, { open, pages: new Map() });
  assert.equal(list.length, 1000);
  assert.ok(indent(1) < indent(2) && indent(2) < indent(8), 'levels are told apart');
  assert.ok(Math.max(...list.map((n) => indent(n.level))) <= 200, 'the rest is left to read in 360 pixels');
});
