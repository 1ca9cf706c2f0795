import { useEffect, useRef } from 'preact/hooks';
import { local } from '../base';
import { tokenPlaceholder } from '../handover';
import { Code } from '../ui/code';
import { words } from '../words';
import { clearRows, dropped, rows, textOf, type Row } from './output';
import { connection, stage } from './stage';

const w = words.try;
const dots: Record<string, string> = { connected: 'good', connecting: 'warn pulse', initialized: 'warn pulse', unavailable: 'bad', failed: 'bad', disconnected: 'bad' };

export function TryPage() {
  const s = stage.value;
  if (s.at === 'waiting') return <p class="empty" role="status">{w.waiting}</p>;
  if (s.at !== 'running') {
    return (
      <main class="empty" data-test="nothing">
        <h1>{w.none}</h1>
        <p>{s.at === 'signedOut' ? w.signedOut : w.noneHow}</p>
        <a class="button primary" href={local('/#/connect')}>{w.open}</a>
      </main>
    );
  }
  return (
    <main class="try">
      <header class="bar">
        <h1>{w.title(s.snippet.title)}</h1>
        <Connection />
      </header>
      <section class="card output" aria-labelledby="output">
        <header>
          <h2 id="output">{w.output}</h2>
          <button class="button small" onClick={clearRows}>{w.clear}</button>
          <button class="button small" onClick={() => location.reload()}>{w.again}</button>
        </header>
        <Output />
      </section>
      <section class="card" aria-labelledby="script">
        <header>
          <h2 id="script">{w.script}</h2>
        </header>
        <p class="muted small">{w.scriptNote(tokenPlaceholder)}</p>
        <Code code={s.snippet.script} language="js" label={words.connect.codeOf(w.script)} />
      </section>
    </main>
  );
}

function Connection() {
  const state = connection.value;
  if (state === '') return null;
  const text = w.states[state] ?? state;
  return (
    <span class="pill" data-state={state}>
      <span class={`dot ${dots[state] ?? ''}`} />
      <span role="status"><span class="visually-hidden">{w.connection('')}</span>{text}</span>
    </span>
  );
}

/** Output stays at the newest line, unless somebody has scrolled up to read. */
function Output() {
  const box = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const shown = rows.value;
  useEffect(() => {
    if (follow.current) box.current?.scrollTo(0, box.current.scrollHeight);
  }, [shown]);
  if (shown.length === 0) return <p class="muted quiet">{w.quiet}</p>;
  return (
    <div
      class="rows" ref={box} tabIndex={0} role="log" aria-labelledby="output"
      onScroll={(e) => (follow.current = e.currentTarget.scrollTop + e.currentTarget.clientHeight > e.currentTarget.scrollHeight - 20)}
    >
      {dropped.value > 0 && <p class="muted small">{w.dropped(dropped.value)}</p>}
      {shown.map((r) => <Line key={r.n} row={r} />)}
    </div>
  );
}

const clock = (time: number) => new Date(time).toLocaleTimeString(undefined, { hourCycle: 'h23' });

function Line(props: { row: Row }) {
  const { time, level, values } = props.row;
  return (
    <div class={`line ${level}`} data-level={level}>
      <time class="muted mono">{clock(time)}</time>
      <div class="values">
        {values.map((v, i) => (typeof v === 'object' && v !== null && !(v instanceof Error) ? <Thing key={i} value={v} /> : <span key={i}>{textOf(v)}</span>))}
      </div>
    </div>
  );
}

/** Thing shows an object as one line that unfolds. */
function Thing(props: { value: object }) {
  return (
    <details>
      <summary class="mono">{textOf(props.value).slice(0, 300)}</summary>
      <pre>{textOf(props.value, 2)}</pre>
    </details>
  );
}
