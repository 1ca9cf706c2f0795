// Every word that the console shows, in one place, so that it can be translated:
// a language is a file of this shape. Views say words.<view>.<what>.

/** many says a number with its noun: "1 event", "3 events". */
export function many(n: number, one: string, more: string): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : more}`;
}

/** span is a length of time in words, of seconds. */
export function span(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 90) return many(Math.round(seconds), 'second', 'seconds');
  if (seconds < 90 * 60) return many(Math.round(seconds / 60), 'minute', 'minutes');
  return many(Math.round(seconds / 3600), 'hour', 'hours');
}

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
    themes: { system: 'as the system', light: 'light', dark: 'dark' },
    docs: 'Reference of the API',
    present: (names: string[]) => `Here now: ${names.join(', ')}`,
  },
  signIn: {
    title: 'Sign in',
    lead: 'See your conversations go over the wire, live.',
    email: 'E-mail',
    password: 'Password',
    show: 'Show the password',
    submit: 'Sign in',
    busy: 'Signing in…',
    wrong: 'The e-mail or the password is wrong.',
    ended: {
      expired: 'Your session has ended. Sign in again to go on where you were.',
      closed: 'The server has ended your session. Sign in again.',
      notTold: 'You are signed out here, but the server could not be told: the access token stays good for at most a day.',
    },
    firstTime: 'The first start of the server printed the owner’s e-mail and password. Lost? See bootstrap.user.password in config.example.yaml.',
  },
  socket: {
    off: 'not connected',
    connecting: 'connecting',
    live: 'live',
    waiting: 'connection lost',
    unavailable: 'server gone',
    refused: 'closed by the server',
    title: 'Connection',
    open: (state: string) => `Connection: ${state}. Show what pusher-js is doing`,
    since: (time: string) => `since ${time}`,
    socketId: 'Socket',
    retryIn: (seconds: number) => `tries again in ${span(seconds)}`,
    again: 'Connect now',
    trail: 'What pusher-js is doing',
    subscriptions: 'Subscriptions',
    pending: 'subscribing',
    granted: 'live',
    denied: 'refused',
    connected: (id: string) => `connected, socket ${id}`,
    retry: (seconds: number) => (seconds > 0 ? `next try in ${span(seconds)}` : 'trying again at once'),
    closed: (code: number, message: string) => `closed by the server with ${code}${message ? `: ${message}` : ''}`,
    state: (s: string) => s,
    subscribed: (channel: string) => `subscribed to ${channel}`,
    refusal: (status: number, text: string) => `refused${status ? ` (${status})` : ''}${text ? `: ${text}` : ''}`,
    back: (seconds: number) => `back after ${span(seconds)}`,
  },
  outage: {
    away: (seconds: number) => `The connection was lost for ${span(seconds)}.`,
    reading: 'Reading what was missed from the journal…',
    nothing: 'Nothing was missed.',
    missed: (n: number, more: boolean) => `${more ? 'More than ' : ''}${many(n, 'event', 'events')} came meanwhile; ${n === 1 ? 'it was' : 'they were'} read from the journal.`,
    failed: 'What came meanwhile could not be read from the journal.',
  },
  update: {
    text: (version: string) => `The server is back with another version (${version}). Reload to use its console.`,
    reload: 'Reload',
  },
  faults: {
    unreachable: 'The server does not answer.',
    throttled: (seconds: number) => `Too many tries. Wait ${span(Math.max(seconds, 1))}.`,
    broken: 'This view broke. The rest works; the error is in the browser’s console.',
  },
  start: {
    failed: 'The console could not start: the server does not answer.',
  },
};
