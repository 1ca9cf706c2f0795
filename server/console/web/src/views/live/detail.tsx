// The details of one event.
import { isEvent } from '@chatcast/events';
import { local } from '../../base';
import type { Entry } from '../../log';
import { plain } from '../../naming';
import { CopyButton } from '../../ui/copy';
import { Tree } from '../../ui/tree';
import { words } from '../../words';
import { family } from './channel';
import { clearFilter, line } from './state';
import { exact } from './time';

const w = words.live.detail;

export function Detail(props: { entry: Entry | null; hidden: boolean }) {
  const e = props.entry;
  if (e === null) return <p class="note" data-test="gone">{w.gone}</p>;
  return (
    <div class="live-facts" data-test="detail">
      <p class="live-said"><bdi>{line(e)}</bdi></p>
      {props.hidden && <p class="note row">{w.hidden} <button class="button small" onClick={clearFilter}>{words.live.filter.clear}</button></p>}
      <dl>
        <dt>{w.time}</dt>
        <dd><time class="mono">{exact(e.time)}</time> {e.missed && <span class="chip warn">{words.live.missed}{words.live.fromJournal}</span>}{e.earlier && <span class="chip">{words.live.earlier}</span>}</dd>
        <dt>{w.channel}</dt>
        <dd><code class="break">{e.channel}</code></dd>
        <dt>{w.journal}</dt>
        <dd data-test="event-id">{e.eventId === null ? w.notInJournal : w.number(e.eventId)}</dd>
      </dl>
      <p class="row">
        <CopyButton label={w.copyJson} text={() => JSON.stringify(e.data, null, 2) ?? ''} />
        {isEvent(e.event) && <a class="small" href={local(`/schemas/${e.event}.json`)} target="_blank" rel="noopener">{w.schema}</a>}
      </p>
      <Tree value={e.data} label={w.payload} />
    </div>
  );
}

/** DetailTitle is the event's name, in its colour from the list. */
export function DetailTitle(props: { event: string }) {
  return <span class="live-event" data-family={family(props.event)}>{plain(props.event)}</span>;
}
