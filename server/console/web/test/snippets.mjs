// Prints the snippets of the Connect view as JSON, for the facts that are given as
// JSON: what server/console/snippets_test.go compiles and runs is what users copy.
import { load } from './load.mjs';

const { kinds, snippet } = await load('src/views/connect/snippets.ts');
const facts = JSON.parse(process.argv[2]);
console.log(JSON.stringify(Object.fromEntries(kinds.map((kind) => [kind, snippet(kind, facts)]))));
