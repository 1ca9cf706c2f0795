// The current figures.
import type { ComponentChildren } from 'preact';
import { clock } from '../../ui/connection';
import { span, words } from '../../words';
import { days, number, rate } from './numbers';
import type { Figures } from './poll';

const w = words.server;

export function Tiles({ figures: f }: { figures: Figures }) {
  const last = f.history.samples.at(-1);
  return (
    <dl class="tiles">
      <Tile name={w.sockets} value={number(f.sockets.open)} test="sockets">{w.users(f.engine.users)}</Tile>
      <Tile name={w.published} value={rate(last?.published ?? 0)}>{w.publishedTotal(number(f.engine.published))}</Tile>
      <Tile name={w.delivered} value={rate(last?.delivered ?? 0)}>{w.publishedTotal(number(f.engine.delivered))}</Tile>
      <Journal figures={f} />
      <Tile name={w.uptime} value={span(Math.max(0, f.now - f.startedAt))}>{w.since(since(f.startedAt))}</Tile>
      <Tile name={w.version} value={f.version}><span class="break">{w.builtWith(f.commit, f.go)}</span></Tile>
    </dl>
  );
}

/** since is the time of a moment, with the day if that is not today. */
function since(seconds: number): string {
  const time = new Date(seconds * 1000);
  return time.toDateString() === new Date().toDateString() ? clock(seconds * 1000) : `${time.toLocaleDateString()} ${clock(seconds * 1000)}`;
}

function Tile(props: { name: string; value: string; test?: string; children: ComponentChildren }) {
  return (
    <div class="tile card" data-test={props.test}>
      <dt class="muted">{props.name}</dt>
      <dd class="value">{props.value}</dd>
      <dd class="small muted">{props.children}</dd>
    </div>
  );
}

function Journal({ figures: { journal: j } }: { figures: Figures }) {
  const kept = j.retention === 0 ? w.forEver : w.retention(days(j.retention));
  return (
    <Tile name={w.journal} value={j.last === 0 ? w.journalEmpty : w.journalAt(number(j.last))} test="journal">
      <span class="row">
        <span class="chip"><span class={`dot ${j.leading ? 'good' : 'warn'}`} />{j.leading ? w.leading : w.standby}</span>
        <span class="chip"><span class={`dot ${j.ready ? 'good' : 'bad'}`} />{j.ready ? w.ready : w.notReady}</span>
        {j.pending > 0 && <span class="chip"><span class="dot warn" />{w.pending(number(j.pending))}</span>}
      </span>
      {j.first <= j.last ? w.journalKept(number(j.first), kept) : w.journalNone}
    </Tile>
  );
}

/** Ended lists why sockets ended. */
export function Ended({ figures: { sockets } }: { figures: Figures }) {
  const reasons = Object.entries(sockets.ended).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...reasons.map(([, n]) => n));
  return (
    <section class="card ended" aria-labelledby="ended">
      <header><h2 id="ended">{w.ended}</h2><span class="muted small">{w.accepted(number(sockets.accepted))}</span></header>
      {reasons.length === 0 ? <p class="muted">{w.endedNone}</p> : (
        <ul class="plain">
          {reasons.map(([reason, n]) => (
            <li key={reason}>
              <span>{w.reasons[reason] ?? reason}</span>
              <span class="bar" aria-hidden="true"><i style={{ width: `${(n / most) * 100}%` }} /></span>
              <span class="mono">{number(n)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
