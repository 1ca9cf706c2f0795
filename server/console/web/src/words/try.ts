// The words of the window that runs a snippet.
import { many } from './numbers';

export const tryIt = {
  title: (name: string) => `Try: ${name}`,
  waiting: 'Waiting for the console to hand over the snippet…',
  none: 'There is nothing to run.',
  noneHow: 'This page runs a snippet of the console. Open it there: Connect, then “Try it”. If you reloaded this page, the console that opened it must still be open.',
  open: 'Open Connect',
  signedOut: 'The console has been signed out. Sign in there, and press “Try it” again.',
  output: 'What the snippet prints',
  quiet: 'Nothing yet. Events appear here as they happen: write something in the Send view of the console.',
  script: 'The script that runs',
  scriptNote: (placeholder: string) => `Run as shown, with your access token in place of ${placeholder}.`,
  again: 'Run again',
  clear: 'Clear',
  connection: (state: string) => `Connection: ${state}`,
  states: {
    initialized: 'starting', connecting: 'connecting', connected: 'connected', unavailable: 'server unavailable', failed: 'failed', disconnected: 'disconnected',
  } as Record<string, string>,
  notLoaded: (name: string) => `${name} could not be loaded.`,
  notRun: 'The script could not be run.',
  blocked: (what: string) => `The page’s policy did not allow ${what}.`,
  dropped: (n: number) => `${many(n, 'older line is', 'older lines are')} gone.`,
};
