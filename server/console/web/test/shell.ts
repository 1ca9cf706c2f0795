// What catchup.test.mjs drives, as one program: both share the list.
export * from '../src/catchup';
export * from '../src/log';
