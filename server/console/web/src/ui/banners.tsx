// Banners that concern every view: an outage that is over, a server of another
// version.
import { useState } from 'preact/hooks';
import { serverChanged } from '../config';
import { catchUp, lastOutage, type Outage } from '../socket';
import { words } from '../words';
import { CloseIcon } from './icons';

export function Banners() {
  return (
    <div class="banners" role="status">
      <OutageBanner />
      {serverChanged.value && (
        <div class="banner">
          <span>{words.update.text(serverChanged.value.version)}</span>
          <button class="button small" onClick={() => location.reload()}>{words.update.reload}</button>
        </div>
      )}
    </div>
  );
}

function OutageBanner() {
  const [seen, setSeen] = useState<Outage | null>(null);
  const outage = lastOutage.value;
  if (outage === null || outage === seen) return null;
  return (
    <div class="banner calm" data-outage="over">
      <span>{words.outage.away((outage.to - outage.from) / 1000)} {missed()}</span>
      <button class="button quiet icon small" aria-label={words.close} onClick={() => setSeen(outage)}><CloseIcon /></button>
    </div>
  );
}

function missed(): string {
  const p = catchUp.progress.value;
  switch (p.state) {
    case 'idle': return '';
    case 'reading': return words.outage.reading;
    case 'failed': return words.outage.failed;
    case 'done': {
      const read = p.missed > 0 ? words.outage.missed(p.missed) : p.dropped === 0 ? words.outage.nothing : '';
      return p.dropped > 0 ? `${read} ${words.outage.dropped(p.dropped)}` : read;
    }
  }
}
