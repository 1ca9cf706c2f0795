// Which view is shown: the part of the address behind #, so that back and
// bookmarks work and the server knows nothing of it.
import { signal } from '@preact/signals';

export const views = ['live', 'send', 'connect', 'server'] as const;
export type View = (typeof views)[number];

function parse(): { view: View; rest: string[] } {
  const [first = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decode);
  return { view: (views as readonly string[]).includes(first) ? (first as View) : 'live', rest };
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

/** path is the href of a view; parts behind it are the view's own. */
export function path(view: View, ...rest: (string | number)[]): string {
  return '#/' + [view, ...rest].map((p) => encodeURIComponent(p)).join('/');
}
