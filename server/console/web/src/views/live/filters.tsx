// The filters: the channels, each with its number of events, and the events.
import { counts, eventCounts, version } from '../../log';
import { plain } from '../../naming';
import { subscriptions, type Subscription } from '../../socket';
import { words } from '../../words';
import { family, shortChannel } from './channel';
import { filter, toggle } from './state';

const w = words.live.filter;

export function Filters(props: { id: string; open: boolean }) {
  return (
    <div class="live-filters" id={props.id} data-open={props.open}>
      <Channels />
      <Events />
    </div>
  );
}

const dots: Record<Subscription['state'], string> = { live: 'good', pending: 'warn', refused: 'bad' };

function Channels() {
  version.value; // the counts are no signals
  return (
    <fieldset class="live-facet" data-test="channels">
      <legend>{w.channels}</legend>
      <div class="live-chips" tabIndex={-1}>
        {subscriptions.value.map((s) => {
          const off = filter.value.hidden.has(s.channel);
          const state = s.state === 'refused' ? s.reason || w.refused : s.state === 'pending' ? w.pending : '';
          const n = counts.get(s.channel) ?? 0;
          return (
            <label key={s.channel} class="live-channel-chip" title={state ? `${s.channel}: ${state}` : s.channel} data-state={s.state}>
              <input type="checkbox" checked={!off} onChange={() => toggle('hidden', s.channel)} />
              <span class={`dot ${dots[s.state]}`} />
              <span>{shortChannel(s.channel)}</span>
              {state !== '' ? <span class={s.state === 'refused' ? 'error-text' : 'muted'}>{state}</span> : <Count n={n} />}
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}

/** Count shows a number, and tells screen readers what is counted. */
function Count(props: { n: number }) {
  return <span class="live-count"> {props.n.toLocaleString('en')}<span class="visually-hidden"> {w.counted(props.n)}</span></span>;
}

function Events() {
  version.value;
  const chosen = filter.value.events;
  const seen = [...eventCounts].sort(([a], [b]) => a.localeCompare(b));
  return (
    <fieldset class="live-facet" data-test="event-names">
      <legend>{w.events}</legend>
      <div class="live-chips" tabIndex={-1}>
        <button class="button small" aria-pressed={chosen.size === 0} onClick={() => (filter.value = { ...filter.peek(), events: new Set() })}>{w.all}</button>
        {seen.length === 0 && <span class="muted small">{w.none}</span>}
        {seen.map(([name, n]) => (
          <button key={name} class="button small" title={plain(name)} aria-pressed={chosen.has(name)} onClick={() => toggle('events', name)}>
            <span class="live-event" data-family={family(name)}>{plain(name)}</span><Count n={n} />
          </button>
        ))}
      </div>
    </fieldset>
  );
}
