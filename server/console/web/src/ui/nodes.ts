// A JSON value as the lines of a foldable tree. Only unfolded nodes are walked, so
// a value may be large.

export type Step = string | number;

export interface Node {
  readonly key: string; // unique among all nodes
  readonly path: readonly Step[];
  readonly name: string; // in its parent; empty: the root
  readonly level: number; // from 1
  readonly position: number; // among its siblings, from 1
  readonly siblings: number;
  readonly value: unknown;
  readonly foldable: boolean;
  readonly open: boolean;
  readonly rest: number; // more than 0: the line stands for that many siblings that are not shown
}

export const page = 100; // children at a time
export const longText = 200; // characters

/**
 * Folds holds what the reader has folded and unfolded. A node that is not in it has
 * its default state.
 */
export interface Folds {
  readonly open: ReadonlyMap<string, boolean>;
  readonly pages: ReadonlyMap<string, number>; // of children, if more than one
}

const openLevels = 4; // enough for payload, data, its elements and meta, which readers look for

function isFoldable(v: unknown): boolean {
  if (typeof v === 'string') return v.length > longText;
  return typeof v === 'object' && v !== null && Object.keys(v).length > 0;
}

export function nodes(value: unknown, folds: Folds): Node[] {
  const all: Node[] = [];
  walk(all, { path: [], position: 1, siblings: 1 }, value, folds);
  return all;
}

interface At {
  path: readonly Step[];
  position: number;
  siblings: number;
}

function walk(all: Node[], at: At, value: unknown, folds: Folds): void {
  const key = JSON.stringify(at.path);
  const foldable = isFoldable(value);
  const level = at.path.length + 1;
  const open = foldable && (folds.open.get(key) ?? (typeof value !== 'string' && level <= openLevels));
  const name = at.path.length === 0 ? '' : String(at.path.at(-1));
  all.push({ ...at, key, name, level, value, foldable, open, rest: 0 });
  if (!open || typeof value === 'string') return;
  const steps: Step[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value as object);
  const few = steps.slice(0, page * (folds.pages.get(key) ?? 1));
  const rest = steps.length - few.length;
  few.forEach((step, i) => {
    walk(all, { path: [...at.path, step], position: i + 1, siblings: steps.length }, (value as Record<Step, unknown>)[step], folds);
  });
  if (rest > 0) {
    all.push({
      path: at.path, key: `${key} rest`, name: '', level: level + 1, position: few.length + 1, siblings: steps.length,
      value: undefined, foldable: false, open: false, rest,
    });
  }
}

const indented = 12; // levels: deeper lines stay there, and the path below the tree tells where they are

/** indent is how far a line begins from the edge, in pixels. */
export function indent(level: number): number {
  return Math.min(level - 1, indented) * 14 + 18;
}

/** pathText is the path as a program writes it: payload.data[0].chat["a b"]. */
export function pathText(path: readonly Step[]): string {
  return path.map((s, i) => {
    if (typeof s === 'number') return `[${s}]`;
    if (!/^[A-Za-z_$][\w$]*$/.test(s)) return `[${JSON.stringify(s)}]`;
    return i === 0 ? s : `.${s}`;
  }).join('');
}

/** preview is a summary of a folded value. */
export function preview(value: unknown, most = 60): string {
  if (typeof value !== 'object' || value === null) return short(value);
  const list = Array.isArray(value);
  const shown: string[] = [];
  let length = 0;
  for (const k of Object.keys(value)) {
    const v = (value as Record<string, unknown>)[k];
    const inner = typeof v === 'object' && v !== null ? (Array.isArray(v) ? '[…]' : '{…}') : short(v);
    const part = list ? inner : `${k}: ${inner}`;
    length += part.length;
    if (length > most) {
      shown.push('…');
      break;
    }
    shown.push(part);
  }
  return list ? `[${shown.join(', ')}]` : `{${shown.join(', ')}}`;
}

function short(v: unknown): string {
  if (typeof v === 'string') return JSON.stringify(v.length > 24 ? v.slice(0, 24) + '…' : v);
  return String(v);
}
