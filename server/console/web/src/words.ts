// Every word that the console shows, so that it can be translated. A language is a
// file of this shape; the words of each view are in the folder words. Views use
// words.<view>.<what>.
import { account, factor, reset, sessions, signIn } from './words/account';
import { audit } from './words/audit';
import { connect } from './words/connect';
import { outage, socket } from './words/connection';
import { invitation, password } from './words/invitation';
import { lineSettings } from './words/line';
import { keys } from './words/keys';
import { live } from './words/live';
import { many, span } from './words/numbers';
import { people } from './words/people';
import { send } from './words/send';
import { server } from './words/server';
import { tryIt } from './words/try';

export { many, span };

export const words = {
  brand: 'chatcast',
  title: (view: string) => `${view} · chatcast`,
  skip: 'Skip to the content',
  nav: { label: 'Views', live: 'Live', send: 'Send', people: 'People', connect: 'Connect', audit: 'Audit', server: 'Server' },
  close: 'Close',
  retry: 'Try again',
  copy: 'Copy',
  copied: 'Copied',
  loading: 'Loading…',
  account,
  signIn,
  invitation,
  password,
  reset,
  factor,
  sessions,
  live,
  lineSettings,
  send,
  people,
  keys,
  tree: {
    items: (n: number) => many(n, 'item', 'items'),
    keys: (n: number) => many(n, 'key', 'keys'),
    rest: (n: number) => `show ${n.toLocaleString('en')} more`,
    all: (n: number) => `show all ${n.toLocaleString('en')} characters`,
    less: 'show less',
    root: 'data',
  },
  connect,
  audit,
  try: tryIt,
  server,
  socket,
  outage,
  update: {
    text: (version: string) => `The server is back with another version (${version}). Reload to use its console.`,
    reload: 'Reload',
  },
  errors: {
    unreachable: 'The server does not answer.',
    throttled: (seconds: number, why: string) => `${why ? why[0]!.toUpperCase() + why.slice(1) : 'Too many tries'}. Wait ${span(Math.max(seconds, 1))}.`,
    broken: 'This view broke. The rest works; the error is in the browser’s console.',
  },
  start: {
    failed: 'The console could not start: the server does not answer.',
  },
};
