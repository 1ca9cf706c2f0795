// The words of the account's sheet, of signing in and of the second factor.
import { many } from './numbers';

export const account = {
  menu: (name: string) => `Account of ${name}`,
  signOut: 'Sign out',
  role: { owner: 'owner', admin: 'admin', operator: 'operator' } as Record<string, string>,
  theme: 'Colours',
  themes: { system: 'same as the system', light: 'light', dark: 'dark' },
  docs: 'API reference',
  present: (names: string[]) => `Here now: ${names.join(', ')}`,
};

export const signIn = {
  title: 'Sign in',
  lead: 'See the events of your conversations, live.',
  email: 'E-mail',
  password: 'Password',
  show: 'Show the password',
  code: 'Code',
  codeHint: 'Of your authenticator app, or a recovery code.',
  codeNeeded: 'This account has a second factor. Type its code too.',
  codeWrong: 'The code is wrong, or was used already. Wait for the next one.',
  submit: 'Sign in',
  busy: 'Signing in…',
  wrong: 'The e-mail or the password is wrong.',
  ended: {
    expired: 'Your session has ended. Sign in again to go on where you were.',
    closed: 'The server has ended your session. Sign in again.',
    notTold: 'You are signed out here, but the server could not be told: the access token stays valid for up to a day.',
  },
  changed: 'Your password is changed. Sign in with it.',
  firstTime: 'The first start of the server printed the owner’s e-mail and password. Lost? Whoever runs the server can give you a new one: chatcast user reset-password.',
};

export const reset = {
  title: 'New password',
  lead: 'Choose a new password. All your sessions end.',
  password: 'New password, at least 8 characters',
  submit: 'Change the password',
};

export const factor = {
  title: 'Second factor',
  first: 'Before you go on',
  off: 'A sign-in needs only your password.',
  on: 'A sign-in needs a code of your authenticator app.',
  required: 'Your company requires a second factor. Set it up to go on.',
  setUp: 'Set up…',
  password: 'Your password',
  next: 'Continue',
  cancel: 'Cancel',
  scan: 'Scan this with an authenticator app, or type the key into it.',
  picture: 'QR code for an authenticator app',
  key: 'Key',
  code: 'Code that the app shows',
  confirm: 'Confirm',
  confirmed: 'The second factor is set up. Keep these recovery codes: each replaces one code if you lose the device. They are shown only now.',
  kept: 'I have kept them',
  remove: 'Remove…',
  removeCode: 'Code of the app, or a recovery code',
  removeNow: 'Remove the second factor',
};

export const sessions = {
  title: 'Sessions',
  current: 'this one',
  line: (address: string, used: string) => `${address || 'unknown address'}, last used ${used}`,
  agent: (agent: string) => agent || 'unknown program',
  end: 'End',
  endOne: (agent: string) => `End the session of ${agent || 'an unknown program'}`,
  others: (n: number) => `End ${many(n, 'other session', 'other sessions')}`,
  failed: 'The sessions could not be read.',
};
