// The last minutes.
import { Chart, type Series } from '../../ui/chart';
import { words } from '../../words';
import { number, rate } from './numbers';
import type { Figures } from './poll';

const w = words.server;
type Sample = Figures['history']['samples'][number];

export function Charts({ figures }: { figures: Figures }) {
  const samples = figures.history.samples;
  const times = samples.map((s) => s.time);
  const of = (name: string, key: keyof Sample): Series => ({ name, values: samples.map((s) => s[key]) });
  return (
    <section aria-labelledby="charts">
      <h2 id="charts">{w.charts}</h2>
      {samples.length === 0 ? <p class="muted">{w.noSamples}</p> : (
        <div class="charts">
          <Chart name={w.chart.sockets} times={times} series={[of(w.chart.open, 'sockets')]} say={number} />
          <Chart name={w.chart.turnover} times={times} series={[of(w.chart.came, 'accepted'), of(w.chart.went, 'ended')]} say={rate} />
          <Chart name={w.chart.events} times={times} series={[of(w.chart.published, 'published'), of(w.chart.journal, 'journal')]} say={rate} />
          <Chart name={w.chart.deliveries} times={times} series={[of(w.chart.delivered, 'delivered')]} say={rate} />
        </div>
      )}
    </section>
  );
}
