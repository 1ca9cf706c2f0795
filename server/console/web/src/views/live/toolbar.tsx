// The bar above the list: the search, and the actions for the whole list.
import type { RefObject } from 'preact';
import { useState } from 'preact/hooks';
import { ClearIcon, CloseIcon, CopyIcon, FilterIcon, KeyboardIcon, PauseIcon, PlayIcon, SearchIcon } from '../../ui/icons';
import { copy } from '../../ui/copy';
import { words } from '../../words';
import { Filters } from './filters';
import { isGap, parts } from './rows';
import { cleared, clearFilter, clearList, filter, paused, shown, togglePause, type, typed, undoClear } from './state';

const w = words.live;

export function Toolbar(props: { search: RefObject<HTMLInputElement | null>; help: () => void }) {
  const [open, setOpen] = useState(false); // the filters, on a phone
  const active = parts(filter.value);
  const s = shown.value;
  const stopped = paused.value !== null;
  return (
    <div class="live-tools">
      <div class="live-bar">
        <div class="live-search">
          <SearchIcon />
          <input
            ref={props.search} class="input" type="search" aria-label={w.filter.label} placeholder={w.filter.placeholder} value={typed.value}
            autocomplete="off" spellcheck={false} data-test="filter"
            onInput={(e) => type(e.currentTarget.value)} onKeyDown={(e) => leave(e)}
          />
          <span class="live-shown" data-test="shown">{active > 0 ? w.filter.shown(s.shown, s.total) : w.filter.total(s.total)}</span>
        </div>
        {active > 0 && <button class="button quiet" onClick={clearFilter} data-test="clear-filter"><CloseIcon />{w.filter.clear}</button>}
        <button class="button live-fold" aria-expanded={open} aria-controls="live-filters" onClick={() => setOpen(!open)}><FilterIcon />{w.filter.open(active)}</button>
        <button class={`button ${stopped ? 'live-stopped' : ''}`} onClick={togglePause} data-test="pause">
          {stopped ? <PlayIcon /> : <PauseIcon />}<span class="live-name">{stopped ? w.resume : w.pause}</span>{' '}
          {stopped && <span class="live-waiting" data-test="waiting">{w.waiting(s.waiting)}</span>}
        </button>
        <button class="button" onClick={clearList} data-test="clear"><ClearIcon /><span class="live-name">{w.clear}</span></button>
        <CopyAll />
        <button class="button quiet icon live-help" aria-label={w.keys} title={w.keys} onClick={props.help}><KeyboardIcon /></button>
      </div>
      <Filters id="live-filters" open={open} />
    </div>
  );
}

/** Escape clears the field, or leaves it if it is empty. */
function leave(e: KeyboardEvent & { currentTarget: HTMLInputElement }) {
  if (e.key !== 'Escape' && e.key !== 'Enter') return;
  e.preventDefault();
  if (e.key === 'Escape' && typed.value !== '') type('');
  else e.currentTarget.blur();
}

function CopyAll() {
  const [done, setDone] = useState(false);
  const act = async () => {
    const lines = shown.peek().rows.flatMap((r) => (isGap(r) ? [] : [JSON.stringify({
      time: new Date(r.time).toISOString(), channel: r.channel, event: r.event, eventId: r.eventId, missed: r.missed, data: r.data,
    })]));
    setDone(await copy(lines.join('\n')));
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button class="button" aria-label={w.copyAllName} title={w.copyAllName} onClick={() => void act()} data-test="copy">
      <CopyIcon /><span class="live-name" aria-live="polite">{done ? words.copied : w.copyAll}</span>
    </button>
  );
}

/**
 * Said lies over the list, and offers to undo clearing it. It reads actions aloud,
 * but not each figure.
 */
export function Said() {
  const c = cleared.value;
  return (
    <>
      <span class="visually-hidden" role="status">{paused.value !== null ? w.paused : c !== null ? w.cleared(c.count) : ''}</span>
      {c !== null && (
        <p class="live-undo">
          <span>{w.cleared(c.count)}</span>
          <button class="button small" onClick={undoClear} data-test="undo">{w.undo}</button>
          <button class="button quiet icon small" aria-label={words.close} onClick={() => (cleared.value = null)}><CloseIcon /></button>
        </p>
      )}
    </>
  );
}
