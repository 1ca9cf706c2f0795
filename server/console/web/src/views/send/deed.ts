// An action and the events that it caused. The request goes out, and its events are
// awaited on the socket, where everybody else receives them.
import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { LicenseEvents } from '@chatcast/events';
import { onEvent } from '../../log';
import { connection, errorText } from '../../socket';
import { words } from '../../words';
import { chatEventsOf, type ChatEvent } from './events';
import type { Line } from './line';

/** How long the events of an action are awaited after the answer, in milliseconds. */
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
  note: string; // why no event came, or why none will come
}

/** Expected are the events that an action may cause. If there are none, note says why. */
export interface Expected {
  line: Line;
  events: readonly LicenseEvents[];
  of: (chatId: string, t: ChatEvent) => boolean;
  note?: string;
}

const idle: Outcome = { phase: 'idle', came: [], error: '', note: '' };

export class Deed {
  readonly outcome = signal<Outcome>(idle);
  /** The error of a failed request. */
  cause: unknown = null;
  private stop = () => {};

  get busy(): boolean {
    return this.outcome.value.phase === 'asking';
  }

  /**
   * run does the action. The answer is undefined if it failed, or if another deed
   * was started meanwhile.
   */
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

  /** note says why no event will come. */
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

/** useDeed is a deed of this component. It is reset when key changes. */
export function useDeed(key: string): Deed {
  const deed = useMemo(() => new Deed(), [key]);
  useEffect(() => () => deed.end(), [deed]);
  return deed;
}
