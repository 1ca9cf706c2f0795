// The state of the connection, always in sight, and what pusher-js is doing.
import { useEffect, useState } from 'preact/hooks';
import { again, connection, steps, subscriptions, type Connection } from '../socket';
import { words } from '../words';
import { Sheet } from './sheet';

const look: Record<Connection['state'], { dot: string; text: string }> = {
  off: { dot: '', text: words.socket.off },
  connecting: { dot: 'warn pulse', text: words.socket.connecting },
  connected: { dot: 'good', text: words.socket.live },
  waiting: { dot: 'warn pulse', text: words.socket.waiting },
  unavailable: { dot: 'bad', text: words.socket.unavailable },
  refused: { dot: 'bad', text: words.socket.refused },
};

// hurry connects now. The button is still there for a moment when the connection has come
// up by itself, which would be cut.
function hurry(): void {
  if (connection.peek().state !== 'connected') again();
}

export function ConnectionPill() {
  const [open, setOpen] = useState(false);
  const { dot, text } = look[connection.value.state];
  const settled = subscriptions.value.every((s) => s.state !== 'pending');
  return (
    <>
      <button class="pill" data-state={connection.value.state} data-settled={settled} aria-label={words.socket.open(text)} onClick={() => setOpen(true)}>
        <span class={`dot ${dot}`} />
        <span role="status">{text}</span>
      </button>
      {open && <ConnectionSheet onClose={() => setOpen(false)} />}
    </>
  );
}

export const clock = (time: number) => new Date(time).toLocaleTimeString(undefined, { hourCycle: 'h23' });

function ConnectionSheet(props: { onClose: () => void }) {
  const c = connection.value;
  const { dot, text } = look[c.state];
  return (
    <Sheet title={words.socket.title} onClose={props.onClose}>
      <p class="row">
        <span class={`dot ${dot}`} /> <strong>{text}</strong> <span class="muted">{words.socket.since(clock(c.since))}</span>
        {c.socketId !== '' && <span class="muted mono">{words.socket.socketId} {c.socketId}</span>}
      </p>
      {c.reason !== '' && <p class="note bad">{c.reason}</p>}
      {c.state !== 'connected' && c.state !== 'off' && (
        <p class="row"><Countdown to={c.retryAt} /><button class="button small" onClick={hurry}>{words.socket.again}</button></p>
      )}
      <h3>{words.socket.subscriptions}</h3>
      <ul class="plain">
        {subscriptions.value.map((s) => (
          <li key={s.channel} class="subscription">
            <span class={`dot ${s.state === 'live' ? 'good' : s.state === 'refused' ? 'bad' : 'warn'}`} />
            <span>
              <code class="break">{s.channel}</code>{' '}
              <span class="muted">{s.state === 'live' ? words.socket.granted : s.state === 'refused' ? s.reason : words.socket.pending}</span>
            </span>
          </li>
        ))}
      </ul>
      <h3>{words.socket.trail}</h3>
      <ol class="plain trail" tabIndex={0} aria-label={words.socket.trail}>
        {steps.value.toReversed().map((s, i) => <li key={steps.value.length - i}><time class="muted mono">{clock(s.time)}</time> {s.text}</li>)}
      </ol>
    </Sheet>
  );
}

function Countdown(props: { to: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const t = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(t);
  }, []);
  return props.to > now ? <span>{words.socket.retryIn(Math.ceil((props.to - now) / 1000))}</span> : null;
}
