// A small chart of values over time. It is also readable aloud: its name has the
// values in words, and the arrow keys or a pointer read it sample by sample.
import { useId, useState } from 'preact/hooks';
import { clock } from './connection';
import { span, words } from '../words';

export interface Series {
  name: string;
  values: number[]; // one for each time
}

interface Props {
  name: string;
  times: number[]; // unix seconds, rising
  series: Series[]; // one or two
  say: (value: number) => string;
}

const w = words.server.chart;
const width = 300, height = 80; // of the drawing, which is stretched to its place

export function Chart(props: Props) {
  const { times, series, say } = props;
  const id = useId();
  const [picked, setPicked] = useState<number | null>(null); // a time
  const last = times.length - 1;
  // The picked sample stays picked while the window moves on, until it leaves the
  // window.
  const found = picked === null ? -1 : times.indexOf(picked);
  const at = found >= 0 ? found : last;
  const from = times[0] ?? 0, to = times[last] ?? 0;
  const top = niceTop(Math.max(0, ...series.flatMap((s) => s.values)));
  const x = (i: number) => (to > from ? ((times[i]! - from) / (to - from)) * width : width);
  const y = (v: number) => height - (v / top) * (height - 2) - 1;
  const parts = (i: number) => series.map((s) => (series.length > 1 ? `${s.name} ${say(s.values[i] ?? 0)}` : say(s.values[i] ?? 0))).join(', ');
  const pick = (i: number | null) => setPicked(i === null || i >= last ? null : times[Math.max(0, i)]!);

  return (
    <figure class="chart card">
      <figcaption id={id}>
        <span class="label">{props.name}</span>
        <output class="mono" aria-hidden="true">{found >= 0 ? w.at(clock(times[at]! * 1000), parts(at)) : parts(at)}</output>
      </figcaption>
      <div
        class="plot" role="slider" tabIndex={0} aria-label={summary(props)} aria-orientation="horizontal" aria-valuemin={0} aria-valuemax={Math.max(last, 0)}
        aria-valuenow={Math.max(at, 0)} aria-valuetext={w.at(found >= 0 ? clock(times[at]! * 1000) : w.now, parts(at))} aria-describedby={`${id}-hint`}
        onKeyDown={(e) => {
          const step = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - 12, PageUp: at + 12, Home: 0, End: last }[e.key];
          if (step === undefined) return;
          e.preventDefault();
          pick(step);
        }}
        onBlur={() => pick(null)}
        onPointerMove={(e) => pick(nearest(e, times))} onPointerDown={(e) => pick(nearest(e, times))} onPointerLeave={() => pick(null)}
      >
        <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="grid" d={`M0 1H${width}M0 ${height / 2}H${width}`} />
          {series.map((s, n) => {
            const line = s.values.map((v, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('');
            return (
              <g key={s.name} class={`series n${n}`}>
                {n === 0 && s.values.length > 1 && <path class="area" d={`${line}L${width} ${height}L0 ${height}Z`} />}
                <path class="line" d={line} />
              </g>
            );
          })}
          {found >= 0 && <path class="cursor" d={`M${x(at)} 0V${height}`} />}
        </svg>
        <span class="scale muted" aria-hidden="true">{say(top)}</span>
      </div>
      <div class="axis muted" aria-hidden="true">
        <span>{w.ago(span(to - from))}</span>
        <span>{w.now}</span>
      </div>
      {series.length > 1 && <div class="legend muted" aria-hidden="true">{series.map((s, n) => <span key={s.name}><i class={`n${n}`} />{s.name}</span>)}</div>}
      <span id={`${id}-hint`} class="visually-hidden">{w.hint}</span>
    </figure>
  );
}

function nearest(e: PointerEvent, times: number[]): number {
  const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
  const from = times[0] ?? 0, to = times[times.length - 1] ?? 0;
  const t = from + ((e.clientX - box.left) / box.width) * (to - from);
  let best = 0;
  for (let i = 1; i < times.length; i++) if (Math.abs(times[i]! - t) < Math.abs(times[best]! - t)) best = i;
  return best;
}

function summary(props: Props): string {
  const parts = props.series.map((s) => {
    const now = s.values[s.values.length - 1] ?? 0;
    return w.part(s.name, props.say(now), props.say(Math.min(...s.values)), props.say(Math.max(...s.values)));
  });
  return w.summary(props.name, parts.join('; '), span((props.times[props.times.length - 1] ?? 0) - (props.times[0] ?? 0)));
}

/**
 * niceTop is a round number above all values, so that the scale stays while they
 * change a little.
 */
function niceTop(most: number): number {
  if (most < 1) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10, 20].map((n) => n * unit).find((n) => n > most)!;
}
