// The state of the line, kept up to date by its events. They do not say who serves
// the line: that is requested from the API.
import { effect, signal } from '@preact/signals';
import { call } from '../../api';
import { onEvent } from '../../log';
import { catchUp } from '../../socket';
import { chatEventsOf } from './events';
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
        const firstMessage = this.status.peek()?.state === 'not_set_up' && chatEventsOf(line, e.event, e.data).length > 0; // there is a bridge now
        if (firstMessage || aboutLine(line, e.event, e.data)?.name === 'messengerStatus') void this.read();
      }),
      // Also after an outage, because the journal may not have everything.
      effect(() => {
        if (catchUp.progress.value.state !== 'reading') void this.read();
      }),
    ];
  }

  close(): void {
    for (const f of this.endings) f();
    this.end.abort();
  }

  /** read requests the state of the line; undefined: the request failed. */
  async read(): Promise<Status | undefined> {
    const round = ++this.round;
    try {
      const status = await call<Status>('GET', `${linePath(this.line)}/status`, undefined, { signal: this.end.signal });
      if (round === this.round) this.status.value = status;
      return status;
    } catch {
      return undefined; // the shown state stays; the banner says that the server is away
    }
  }
}
