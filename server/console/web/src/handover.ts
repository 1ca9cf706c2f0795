// How a snippet gets from the Connect view to the page at /try. That page is a
// window without ties to this one (noopener), and its address holds no secret: the
// part after # is a random number used once, the name of a BroadcastChannel. Only
// pages of this origin can join that channel. The page announces that it is ready,
// and the console answers with the snippet and the token.

/** The placeholder in snippets for the access token. */
export const tokenPlaceholder = 'YOUR_ACCESS_TOKEN';

/** The libraries that snippets may load, by their names in /lib. */
const libraryNames = ['pusher-js-7', 'pusher-js-8', 'laravel-echo-2'] as const;
export type Library = (typeof libraryNames)[number];

export function libraryPath(name: Library): string {
  return `/lib/${name}.min.js`;
}

export const ready = 'ready';

export interface Handover {
  title: string;
  libraries: Library[];
  script: string; // as shown, with the placeholder
  token: string; // '': nobody is signed in any more
}

/** handoverChannel is the BroadcastChannel for id, or null if id is not valid. */
export function handoverChannel(id: string): BroadcastChannel | null {
  return /^[0-9a-f]{32}$/.test(id) ? new BroadcastChannel(`chatcast.try.${id}`) : null;
}

/** isHandover checks a received message, because it decides which script is run. */
export function isHandover(v: unknown): v is Handover {
  const h = v as Partial<Handover> | null;
  return (
    typeof h === 'object' && h !== null && typeof h.title === 'string' && typeof h.script === 'string' && typeof h.token === 'string' &&
    Array.isArray(h.libraries) && h.libraries.every((name) => libraryNames.includes(name))
  );
}
