// Server: how this server is doing, for its operators.
import { useEffect, useState } from 'preact/hooks';
import { words, span } from '../../words';
import { Channels } from './channels';
import { Charts } from './charts';
import { Ended, Tiles } from './tiles';
import { useFigures, type Known } from './poll';
import './server.css';

const w = words.server;

export function Server() {
  const [prefix, setPrefix] = useState('');
  const known = useFigures(prefix).value;
  const { figures } = known;
  return (
    <div class="view server" data-test="server" data-error={known.error}>
      <header class="head">
        <h1>{words.nav.server}</h1>
        <p class="muted">{w.lead} {w.updated}</p>
      </header>
      <State known={known} />
      {figures !== null && (
        <div class={known.error === '' ? 'figures' : 'figures stale'}>
          <Tiles figures={figures} />
          <Charts figures={figures} />
          <Channels figures={figures} prefix={prefix} onPrefix={setPrefix} />
          <Ended figures={figures} />
        </div>
      )}
    </div>
  );
}

/** State shows a problem, and how old the figures are meanwhile. */
function State(props: { known: Known }) {
  const { figures, at, error, text } = props.known;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (error !== 'unavailable') return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [error, at]);
  switch (error) {
    case 'forbidden': return <p class="note warn" role="alert">{w.forbidden}</p>;
    case 'other': return <p class="note bad" role="alert">{w.error(text)}</p>;
    case 'unavailable': return <p class="note bad" role="alert">{figures === null ? w.unavailableFirst : <>{w.unavailable}<span aria-live="off">{w.age(span((now - at) / 1000))}</span></>}</p>;
    case '': return figures === null ? <p class="empty" role="status">{words.loading}</p> : null;
  }
}
