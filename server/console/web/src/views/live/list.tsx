// The list itself. The newest event is at the bottom: an action and its effects are
// read downwards, an outage stands between the events before and after it, and
// nothing that is being read moves. The list follows the newest event until
// somebody scrolls up. Then it stands still and shows how many events came.
//
// All rows have one height, so the positions of 10,000 of them are arithmetic. Only
// the rows in sight are in the page.
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { gaps } from '../../log';
import { DownIcon } from '../../ui/icons';
import { useMedia } from '../../ui/media';
import { words } from '../../words';
import { nothingYet, Teach } from './empty';
import { Place } from './place';
import { EventRow, GapRow, rowId } from './row';
import { indexAfter, isGap, type Row } from './rows';
import { cursor, paused, shown } from './state';
import { Said } from './toolbar';

const beyond = 6; // rows kept in the page above and below the visible ones

export function EventList(props: { open: (n: number) => void }) {
  const rowHeight = useMedia('(max-width: 700px)') ? 58 : 34;
  const { rows, shown: passed, total } = shown.value;
  const box = useRef<HTMLDivElement>(null);
  const place = useRef(new Place()).current;
  const drawn = useRef({ rows, top: 0, height: 0, cursor: 0 }).current;
  const [, draw] = useReducer((n: number) => n + 1, 0);

  if (cursor.value !== drawn.cursor && drawn.height > 0) { // before it is measured, nothing is in sight
    drawn.cursor = cursor.value;
    place.show(rows, rowHeight, drawn.height, drawn.cursor);
  }
  drawn.rows = rows;
  const top = place.top(rows, rowHeight, drawn.height);
  const first = Math.max(0, Math.floor(top / rowHeight) - beyond);
  const last = Math.min(rows.length, Math.ceil((top + drawn.height) / rowHeight) + beyond);
  const inSight = rows.slice(first, last);

  useLayoutEffect(() => {
    const list = box.current;
    if (list === null) return;
    const sizes = new ResizeObserver(() => {
      drawn.height = list.clientHeight;
      draw(0);
    });
    sizes.observe(list);
    return () => sizes.disconnect();
  }, []);
  useLayoutEffect(() => {
    const list = box.current;
    if (list === null || Math.abs(drawn.top - top) < 0.5) return;
    list.scrollTop = top;
    drawn.top = list.scrollTop;
  });

  function scrolled() {
    const list = box.current;
    if (list === null) return; // browsers report a scroll with the next frame, when the view may be gone
    const at = list.scrollTop;
    if (Math.abs(at - drawn.top) < 1) return; // this scroll was our own
    drawn.top = at;
    place.scrolled(drawn.rows, rowHeight, drawn.height, at);
    draw(0);
  }
  function newest() {
    place.follow = true;
    box.current?.focus({ preventScroll: true });
    draw(0);
  }

  return (
    <div class="live-list">
      <div
        ref={box} class="live-scroll" role="listbox" tabIndex={0} aria-label={words.live.list} data-test="events" onScroll={scrolled}
        aria-activedescendant={inSight.some((r) => r.n === cursor.value) ? rowId(cursor.value) : undefined}
      >
        <div class="live-all" style={{ height: `${rows.length * rowHeight}px` }}>
          <div class="live-window" style={{ transform: `translateY(${first * rowHeight}px)` }}>
            {inSight.map((r, i) => isGap(r)
              ? <GapRow key={r.n} gap={r} position={first + i + 1} />
              : <EventRow key={r.n} entry={r} position={first + i + 1} current={r.n === cursor.value} open={props.open} />)}
          </div>
        </div>
      </div>
      {passed < 4 && total === passed && nothingYet() && <div class="live-hint" style={{ top: `${rows.length * rowHeight}px` }}><Teach /></div>}
      <Said />
      {!place.follow && top + drawn.height < rows.length * rowHeight - 2 && (
        <button class="button live-newer" onClick={newest} data-test="newer">
          <DownIcon />{newer(rows, place.seen)}
        </button>
      )}
    </div>
  );
}

function newer(rows: readonly Row[], seen: number): string {
  const outages = paused.value === null ? gaps() : [];
  const n = rows.length - indexAfter(rows, seen) - (outages.length - indexAfter(outages, seen));
  return n > 0 ? words.live.newer(n) : words.live.toNewest;
}
