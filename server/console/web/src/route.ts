// Which view is shown. It is the part of the address after #, so back and bookmarks
// work and the server never sees it.
import { signal } from '@preact/signals';

export const views = ['live', 'send', 'people', 'connect', 'audit', 'server'] as const;
export type View = (typeof views)[number];

/** invitation is the code of an invitation to accept; empty: the console is shown. */
function parse(): { view: View; rest: string[]; invitation: string } {
  const [first = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decode);
  const invitation = first === 'invitation' ? rest[0] ?? '' : '';
  return { invitation, view: (views as readonly string[]).includes(first) ? (first as View) : 'live', rest };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const route = signal(parse());

addEventListener('hashchange', () => (route.value = parse()));

/** The code for a new password that the address names, or ''. */
export const resetCode = signal(parseCode());

function parseCode(): string {
  return /^#\/reset\/([0-9a-f]+)$/.exec(location.hash)?.[1] ?? '';
}

addEventListener('hashchange', () => (resetCode.value = parseCode()));

/** path is the href of a view. The parts after the view belong to that view. */
export function path(view: View, ...rest: (string | number)[]): string {
  return '#/' + [view, ...rest].map((p) => encodeURIComponent(p)).join('/');
}
