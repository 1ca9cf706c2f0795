// Every word that the console shows, so that it can be translated. A language is a
// file of this shape; the words of each view are in the folder words. Views use
// words.<view>.<what>.
import { connect } from './words/connect';
import { outage, socket } from './words/connection';
import { invitation, password } from './words/invitation';
import { live } from './words/live';
import { many, span } from './words/numbers';
import { send } from './words/send';
import { server } from './words/server';
import { tryIt } from './words/try';

export { many, span };

export const words = {
  brand: 'chatcast',
  title: (view: string) => `${view} · chatcast`,
  skip: 'Skip to the content',
  nav: { label: 'Views', live: 'Live', send: 'Send', connect: 'Connect', server: 'Server' },
  close: 'Close',
  retry: 'Try again',
  copy: 'Copy',
  copied: 'Copied',
  loading: 'Loading…',
  account: {
    menu: (name: string) => `Account of ${name}`,
    signOut: 'Sign out',
    role: { owner: 'owner', admin: 'admin', operator: 'operator' } as Record<string, string>,
    theme: 'Colours',
    themes: { system: 'same as the system', light: 'light', dark: 'dark' },
    docs: 'API reference',
    present: (names: string[]) => `Here now: ${names.join(', ')}`,
  },
  signIn: {
    title: 'Sign in',
    lead: 'See the events of your conversations, live.',
    email: 'E-mail',
    password: 'Password',
    show: 'Show the password',
    submit: 'Sign in',
    busy: 'Signing in…',
    wrong: 'The e-mail or the password is wrong.',
    ended: {
      expired: 'Your session has ended. Sign in again to go on where you were.',
      closed: 'The server has ended your session. Sign in again.',
      notTold: 'You are signed out here, but the server could not be told: the access token stays valid for up to a day.',
    },
    firstTime: 'The first start of the server printed the owner’s e-mail and password. Lost? See bootstrap.user.password in config.example.yaml.',
  },
  invitation,
  password,
  live,
  send,
  tree: {
    items: (n: number) => many(n, 'item', 'items'),
    keys: (n: number) => many(n, 'key', 'keys'),
    rest: (n: number) => `show ${n.toLocaleString('en')} more`,
    all: (n: number) => `show all ${n.toLocaleString('en')} characters`,
    less: 'show less',
    root: 'data',
  },
  connect,
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
