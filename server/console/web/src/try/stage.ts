// The stages of the page.
import { signal } from '@preact/signals';
import type { Handover } from '../handover';

type Stage = { at: 'waiting' } | { at: 'nothing' } | { at: 'signedOut' } | { at: 'running'; snippet: Omit<Handover, 'token'> };

export const stage = signal<Stage>({ at: 'waiting' });

/** The state of the snippet's connection, in pusher-js' words; '': it has none yet. */
export const connection = signal('');
