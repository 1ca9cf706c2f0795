// The imports of the console's modules, as a graph: for tests that keep it a tree.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** imports is the modules under root, each with the modules of ours that it imports, types included. */
export function imports(root) {
  const files = readdirSync(root, { recursive: true }).filter((f) => /\.tsx?$/.test(f));
  const graph = new Map();
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const named = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g)].map((m) => normalize(join(dirname(file), m[1])));
    const found = named.filter((name) => !/\.(css|svg)(\?.*)?$/.test(name)).map((name) => {
      const at = [name, `${name}.ts`, `${name}.tsx`, join(name, 'index.ts'), join(name, 'index.tsx')].find((f) => files.includes(f));
      if (at === undefined) throw new Error(`${file} imports ${name}, which is no module of the console`);
      return at;
    });
    graph.set(file, found);
  }
  return graph;
}

/** circles is the sets of modules that import each other, directly or by others (Tarjan). */
export function circles(graph) {
  const number = new Map(), low = new Map(), stack = [], found = [];
  const visit = (file) => {
    number.set(file, number.size);
    low.set(file, number.get(file));
    stack.push(file);
    for (const next of graph.get(file)) {
      if (!number.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file), low.get(next)));
    }
    if (low.get(file) !== number.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || graph.get(file).includes(file)) found.push(circle.sort());
  };
  for (const file of graph.keys()) if (!number.has(file)) visit(file);
  return found;
}
