// How the line stands, kept as its events say. Who serves it, they do not tell: that
// is asked of the API.
import { effect, signal } from '@preact/signals';
import { call } from '../../api';
import { onEvent } from '../../log';
import { catchUp } from '../../socket';
import { linePath, type Line } from './line';
import { aboutLine, type Status } from './stand';

export class Standing {
  readonly status = signal<Status | null>(null); // null: not known yet
  private round = 0;
  private readonly end = new AbortController();
  private readonly endings: (() => void)[];

  constructor(readonly line: Line) {
    this.endings = [
      onEvent((e) => {
        if (aboutLine(line, e.event, e.data)?.name === 'messengerStatus') void this.read();
      }),
      // Also after an outage, of which the journal need not know all.
      effect(() => {
        if (catchUp.progress.value.state !== 'reading') void this.read();
      }),
    ];
  }

  close(): void {
    for (const f of this.endings) f();
    this.end.abort();
  }

  /** read asks how the line stands; undefined: the server does not say. */
  async read(): Promise<Status | undefined> {
    const round = ++this.round;
    try {
      const status = await call<Status>('GET', `${linePath(this.line)}/status`, undefined, { signal: this.end.signal });
      if (round === this.round) this.status.value = status;
      return status;
    } catch {
      return undefined; // what is shown stays; the banner says that the server is away
    }
  }
}
