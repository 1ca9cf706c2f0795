// The entries of the audit log that a filter selects, read page by page.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, type Rest } from '../../api';
import { errorText } from '../../socket';
import { query, type Filter } from './filter';

export type Entry = Rest['AuditEntry'];

interface Page { items: Entry[]; nextPage: string | null }

export interface Entries {
  list: Entry[] | null; // null: not read yet
  more: boolean;
  error: string;
  reload: () => void;
  older: () => void;
}

/** useEntries reads the first page for each new filter, and the older ones on demand. */
export function useEntries(filter: Filter): Entries {
  const [list, setList] = useState<Entry[] | null>(null);
  const [next, setNext] = useState('');
  const [error, setError] = useState('');
  const [round, setRound] = useState(0);
  const asking = useRef<AbortController | null>(null);

  function read(page: string): void {
    asking.current?.abort();
    const mine = (asking.current = new AbortController());
    call<Page>('GET', `/v1/audit?${query(filter, page)}`, undefined, { signal: mine.signal }).then(
      (answer) => {
        if (asking.current !== mine) return;
        setList((old) => (page === '' || old === null ? answer.items : [...old, ...answer.items]));
        setNext(answer.nextPage ?? '');
        setError('');
      },
      (e: unknown) => {
        if (asking.current === mine) setError(errorText(e));
      },
    );
  }

  useEffect(() => {
    setList(null); // the entries of another filter, or company
    setNext('');
    setError('');
    read('');
    return () => {
      asking.current?.abort();
      asking.current = null;
    };
  }, [filter, round]);
  return { list, more: next !== '', error, reload: () => setRound((n) => n + 1), older: () => read(next) };
}
