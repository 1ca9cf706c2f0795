// What drafts.test.mjs drives, as one program: both share the session.
export * from '../src/drafts';
export { left, me, signIn, signOut } from '../src/session';
export { add } from '../src/log';
