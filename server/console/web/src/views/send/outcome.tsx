// The events that an action caused, in a line: here the user learns how events
// work.
import { path } from '../../route';
import { words } from '../../words';
import type { Deed } from './deed';

export function OutcomeLine(props: { deed: Deed }) {
  const { phase, came, error, note } = props.deed.outcome.value;
  if (error !== '') return <p class="outcome error-text" role="alert" data-test="error">{error}</p>;
  return (
    <p class="outcome" role="status" data-test="outcome">
      {came.map((c, i) => (
        <span key={c.n}>
          {i > 0 && ' · '}
          <span class="dot good" /> {words.send.outcome.event}{' '}
          <a href={path('live', c.n)} title={words.send.outcome.open}><code>{c.event}</code></a> {words.send.outcome.came(c.ms)}
        </span>
      ))}
      {came.length === 0 && phase === 'asking' && words.send.outcome.asking}
      {came.length === 0 && phase === 'waiting' && words.send.outcome.waiting}
      {note !== '' && <span class="muted">{note}</span>}
    </p>
  );
}
