// The output of the snippet, and its errors.
import { signal } from '@preact/signals';
import { words } from '../words';

export type Level = 'log' | 'info' | 'warn' | 'error' | 'debug';

export interface Row {
  n: number; // rising
  time: number; // milliseconds
  level: Level;
  values: unknown[];
}

const keepRows = 500;

export const rows = signal<Row[]>([]);
export const dropped = signal(0); // older rows that were dropped

let next = 1;
let waiting: Row[] = []; // rows come faster than anybody reads, so they are shown once a frame

export function print(level: Level, ...values: unknown[]): void {
  if (waiting.length === 0) setTimeout(show, 16); // not an animation frame, so that it works in a hidden tab too
  waiting.push({ n: next++, time: Date.now(), level, values });
}

function show(): void {
  const all = [...rows.peek(), ...waiting];
  waiting = [];
  dropped.value += Math.max(0, all.length - keepRows);
  rows.value = all.slice(-keepRows);
}

export function clearRows(): void {
  rows.value = [];
  dropped.value = 0;
}

/** watchConsole also shows on the page what the snippet writes to the console. */
export function watchConsole(): void {
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    const original = console[level].bind(console);
    console[level] = (...values: unknown[]) => {
      original(...values);
      print(level, ...values);
    };
  }
  addEventListener('error', (e) => {
    if (e.message) print('error', e.lineno > 0 ? `${e.message} (${e.lineno}:${e.colno})` : e.message);
  });
  addEventListener('unhandledrejection', (e) => print('error', e.reason));
  addEventListener('securitypolicyviolation', (e) => print('error', words.try.blocked(e.blockedURI || e.violatedDirective)));
}

/**
 * textOf is a value as text: strings unchanged, other values as JSON or else as
 * JavaScript converts them.
 */
export function textOf(value: unknown, indent = 0): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try {
    return JSON.stringify(value, null, indent) ?? String(value);
  } catch {
    return String(value); // the value contains itself
  }
}
