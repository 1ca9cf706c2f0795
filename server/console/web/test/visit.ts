// What session.test.mjs drives, as one program: the session gives calls their token.
export * from '../src/api';
export * from '../src/session';
