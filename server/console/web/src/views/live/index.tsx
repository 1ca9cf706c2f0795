// The Live view: the events of this user's channels as they come.
import './live.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { entries, type Entry } from '../../log';
import { plain } from '../../naming';
import { path, route } from '../../route';
import { CloseIcon } from '../../ui/icons';
import { useMedia } from '../../ui/media';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { Detail, DetailTitle } from './detail';
import { Empty } from './empty';
import { KeysSheet, useKeys } from './keys';
import { EventList } from './list';
import { indexAfter, isGap } from './rows';
import { clearFilter, cursor, paused, shown, togglePause } from './state';
import { Said, Toolbar } from './toolbar';

export function Live() {
  const search = useRef<HTMLInputElement>(null);
  const [help, setHelp] = useState(false);
  const chosen = useChosen();
  const beside = useMedia('(min-width: 1000px)');
  useKeys({
    search: () => search.current?.select(),
    clearFilter,
    pause: togglePause,
    move: (by) => move(by, chosen.n > 0),
    open: () => cursor.peek() > 0 && open(cursor.peek()),
    close,
    help: () => setHelp(true),
  });
  const { rows, shown: passed, total } = shown.value;
  const nothing = rows.length === 0 || (passed === 0 && total > 0); // an outage alone is nothing to read
  const detail = chosen.n > 0 && <Detail entry={chosen.entry} hidden={chosen.hidden} />;
  return (
    <section class="live" data-detail={beside && chosen.n > 0}>
      <h1 class="visually-hidden">{words.nav.live}</h1>
      <Toolbar search={search} help={() => setHelp(true)} />
      {nothing ? <div class="live-list"><Empty /><Said /></div> : <EventList open={open} />}
      {detail && beside && (
        <aside class="live-detail" aria-label={words.live.detail.label}>
          <header>
            <h2>{chosen.entry === null ? words.live.detail.label : <DetailTitle event={chosen.entry.event} />}</h2>
            <button class="button quiet icon" aria-label={words.close} onClick={close}><CloseIcon /></button>
          </header>
          <div class="body">{detail}</div>
        </aside>
      )}
      {detail && !beside && <Sheet title={chosen.entry === null ? words.live.detail.label : plain(chosen.entry.event)} onClose={close}>{detail}</Sheet>}
      {help && <KeysSheet onClose={() => setHelp(false)} />}
    </section>
  );
}

interface Chosen {
  n: number; // number of the event in the address; 0: none
  entry: Entry | null; // null: it is not on this page
  hidden: boolean; // by the filter
}

/**
 * useChosen is the event that the address names: #/live/{n}. It stays, even when
 * the log drops it.
 */
function useChosen(): Chosen {
  const n = Number(route.value.rest[0] ?? 0) || 0;
  const kept = useRef<Entry | null>(null);
  if (kept.current?.n !== n) kept.current = n > 0 ? find(n) : null;
  useEffect(() => {
    if (n > 0) cursor.value = n;
  }, [n]);
  const { rows } = shown.value;
  return { n, entry: kept.current, hidden: kept.current !== null && paused.value === null && rows[indexAfter(rows, n - 1)]?.n !== n };
}

function find(n: number): Entry | null {
  for (const list of [entries(), paused.peek()?.source.entries ?? []]) {
    const e = list[indexAfter(list, n - 1)];
    if (e?.n === n) return e;
  }
  return null;
}

// The address changes, so that the browser's back closes the open event. From event
// to event it is replaced, so that back does not go through them all.
function open(n: number): void {
  if (route.peek().rest.length > 0) location.replace(path('live', n));
  else location.hash = path('live', n);
}

function close(): void {
  if (route.peek().rest.length > 0) location.replace(path('live'));
}

/** move moves the cursor to another event. Open details follow it. */
function move(by: number, opened: boolean): void {
  const { rows } = shown.peek();
  const at = indexAfter(rows, cursor.peek() - 1);
  const there = rows[at]?.n === cursor.peek();
  const last = rows.length - 1;
  let to = Math.max(0, Math.min(last, there ? at + by : by === -Infinity ? 0 : last));
  while (to > 0 && to < last && isGap(rows[to]!)) to += Math.sign(by);
  const row = rows[to];
  if (row === undefined || isGap(row)) return;
  if (opened) open(row.n);
  else cursor.value = row.n;
}
