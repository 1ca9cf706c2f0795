// The server's figures, requested while somebody looks at them.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { call, ApiError, type Rest } from '../../api';
import { errorText } from '../../socket';

const interval = 2000; // milliseconds
const patience = 8000; // milliseconds to wait for an answer

export type Figures = Rest['ServerState'];

/** The known figures. The last ones stay when the server is unavailable. */
export interface Known {
  figures: Figures | null;
  at: number; // when they were received, milliseconds
  error: '' | 'forbidden' | 'unavailable' | 'other';
  text: string; // of another error
}

/**
 * useFigures requests the figures every two seconds while the page is visible, with
 * the channels that have the prefix.
 */
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
  if (!(e instanceof ApiError) || e.status === 0) return { error: 'unavailable', text: '' }; // aborted: the server was too slow
  // A user who may no longer see the figures does not see old ones either.
  if (e.status === 403) return { error: 'forbidden', text: '', figures: null };
  return { error: 'other', text: errorText(e) };
}
