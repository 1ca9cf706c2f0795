// An action, and the event that it caused: the request goes out, and the event is
// waited for where all others hear it, on the socket.
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { LicenseEvents } from '@chatcast/events';
import { onEvent } from '../../log';
import { connection, errorText } from '../../socket';
import { words } from '../../words';
import { chatEventsOf, type ChatEvent } from './events';
import type { Line } from './line';

/** How long the events of an action are waited for, milliseconds after the answer. */
const patience = 3000;

export interface Came {
  event: string;
  n: number; // its entry in the log
  ms: number; // from the click to the event
}

interface Outcome {
  phase: 'idle' | 'asking' | 'waiting' | 'over';
  came: readonly Came[];
  error: string;
  note: string; // when no event came, or none is to be
}

/** Expected are the events that an action may cause. Without any, note says why there is none. */
export interface Expected {
  line: Line;
  events: readonly LicenseEvents[];
  of: (chatId: string, t: ChatEvent) => boolean;
  note?: string;
}

const idle: Outcome = { phase: 'idle', came: [], error: '', note: '' };

export class Deed {
  readonly outcome = signal<Outcome>(idle);
  /** What failed, when it did. */
  cause: unknown = null;
  private stop = () => {};

  get busy(): boolean {
    return this.outcome.value.phase === 'asking';
  }

  /** run does it. The answer is undefined when it failed, or another deed came in between. */
  async run<T>(expected: Expected, request: () => Promise<T>): Promise<T | undefined> {
    this.stop();
    let current = true;
    const begun = performance.now();
    const set = (o: Partial<Outcome>) => current && (this.outcome.value = { ...this.outcome.peek(), ...o });
    const deaf = onEvent((e) => {
      const name = e.event as LicenseEvents;
      if (!expected.events.includes(name) || !chatEventsOf(expected.line, e.event, e.data).some((t) => expected.of(t.chatId, t.event))) return;
      set({ came: [...this.outcome.peek().came, { event: e.event, n: e.n, ms: performance.now() - begun }] });
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.stop = () => {
      current = false;
      deaf();
      clearTimeout(timer);
    };
    this.cause = null;
    set({ ...idle, phase: 'asking' });
    try {
      const answer = await request();
      if (!current) return answer;
      if (expected.events.length === 0) set({ phase: 'over', note: expected.note ?? '' });
      else {
        set({ phase: 'waiting' });
        timer = setTimeout(() => {
          deaf();
          set({ phase: 'over', note: this.outcome.peek().came.length > 0 ? '' : none() });
        }, patience);
      }
      return answer;
    } catch (e) {
      deaf();
      if (current) this.cause = e;
      set({ phase: 'over', error: errorText(e) });
      return undefined;
    }
  }

  /** note says why no event is to come. */
  note(text: string): void {
    this.stop();
    this.outcome.value = { ...this.outcome.peek(), phase: 'over', note: text };
  }

  /** failed shows an error that needs no request. */
  failed(error: string): void {
    this.stop();
    this.outcome.value = { ...idle, phase: 'over', error };
  }

  end(): void {
    this.stop();
  }

  clear(): void {
    this.stop();
    this.outcome.value = idle;
  }
}

function none(): string {
  return connection.peek().state === 'connected' ? words.send.outcome.none : words.send.outcome.away;
}

/** useDeed is a deed of this component; it forgets what it did when key changes. */
export function useDeed(key: string): Deed {
  const deed = useMemo(() => new Deed(), [key]);
  useEffect(() => () => deed.end(), [deed]);
  return deed;
}
