// The server's figures, asked for while somebody looks.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call, ApiError, type Rest } from '../../api';
import { errorText } from '../../socket';

const interval = 2000; // milliseconds
const patience = 8000; // milliseconds, for an answer

export type Figures = Rest['Server'];

/** What is known: the last figures stay when the server is gone. */
export interface Known {
  figures: Figures | null;
  at: number; // when they came, milliseconds
  error: '' | 'forbidden' | 'unavailable' | 'other';
  text: string; // of another error
}

/** useFigures asks every two seconds, for the channels with the prefix, while the page is visible. */
export function useFigures(prefix: string) {
  const known = useSignal<Known>({ figures: null, at: 0, error: '', text: '' });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking: AbortController | null = null;
    const ask = async () => {
      clearTimeout(timer);
      asking?.abort();
      const mine = (asking = new AbortController());
      const slow = setTimeout(() => mine.abort(), patience);
      try {
        const query = prefix === '' ? '' : `?prefix=${encodeURIComponent(prefix)}`;
        const figures = await call<Figures>('GET', `/v1/server${query}`, undefined, { signal: mine.signal });
        if (asking === mine) known.value = { figures, at: Date.now(), error: '', text: '' };
      } catch (e) {
        if (asking === mine) known.value = { ...known.peek(), ...errorOf(e) };
      } finally {
        clearTimeout(slow);
      }
      if (asking !== mine || document.hidden || known.peek().error === 'forbidden') return;
      timer = setTimeout(() => void ask(), interval);
    };
    const look = () => {
      if (!document.hidden) void ask();
    };
    document.addEventListener('visibilitychange', look);
    void ask();
    return () => {
      document.removeEventListener('visibilitychange', look);
      clearTimeout(timer);
      const last = asking;
      asking = null;
      last?.abort();
    };
  }, [prefix]);
  return known;
}

function errorOf(e: unknown): Pick<Known, 'error' | 'text'> & { figures?: null } {
  if (!(e instanceof ApiError) || e.status === 0) return { error: 'unavailable', text: '' }; // aborted: it was too slow
  // Who may not see them any more sees nothing old either.
  if (e.status === 403) return { error: 'forbidden', text: '', figures: null };
  return { error: 'other', text: errorText(e) };
}
