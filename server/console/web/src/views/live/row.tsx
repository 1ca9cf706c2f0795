// A row of the list: an event or an outage.
import type { Entry, Gap } from '../../log';
import { plain } from '../../naming';
import { span, words } from '../../words';
import { family, shortChannel } from './channel';
import { line } from './state';
import { clock, clockOrDay, exact } from './time';

export const rowId = (n: number) => `event-${n}`;

export function EventRow(props: { entry: Entry; position: number; current: boolean; open: (n: number) => void }) {
  const e = props.entry;
  return (
    <div
      class="live-row" role="option" id={rowId(e.n)} aria-selected={props.current} aria-posinset={props.position} aria-setsize={-1}
      data-event={e.event} data-missed={e.missed || undefined} data-earlier={e.earlier} onClick={() => props.open(e.n)}
    >
      <time title={exact(e.time)}>{clockOrDay(e.time)}</time>
      <span class="live-event" data-family={family(e.event)}>{plain(e.event)}</span>
      <span class="live-line">
        {e.missed && <span class="chip warn">{words.live.missed}<span class="wide">{words.live.fromJournal}</span></span>}
        <bdi>{line(e)}</bdi>
      </span>
      <span class="live-channel" title={e.channel}>{shortChannel(e.channel)}</span>
    </div>
  );
}

export function GapRow(props: { gap: Gap; position: number }) {
  const g = props.gap;
  if (g.begin) {
    return (
      <div class="live-gap begin" role="option" aria-selected={false} aria-disabled="true" aria-posinset={props.position} aria-setsize={-1} data-test="begin">
        <span>{words.live.begin(clock(g.to))}</span>
      </div>
    );
  }
  const what = (g.failed ? words.live.gapFailed : words.live.gapMissed(g.missed)) + (g.dropped > 0 ? words.live.gapDropped(g.dropped) : '');
  return (
    <div class="live-gap" role="option" aria-selected={false} aria-disabled="true" aria-posinset={props.position} aria-setsize={-1} data-test="gap">
      <span title={`${exact(g.from)} – ${exact(g.to)}`}>{words.live.gap(span((g.to - g.from) / 1000), clock(g.to), g.channels.map(shortChannel).join(', '))} · {what}</span>
    </div>
  );
}
