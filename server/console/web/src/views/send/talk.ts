// What the parts of one open conversation share.
import { signal } from '@preact/signals';
import { Deed } from './deed';
import { History } from './history';
import type { LineState } from './linestate';
import type { Msg } from './messages';

export class Talk {
  readonly history: History;
  readonly deed = new Deed();
  readonly as = signal<'operator' | 'customer'>('operator');
  readonly reply = signal<Msg | null>(null);
  readonly editing = signal<Msg | null>(null);
  readonly opened = signal(''); // the message whose actions are shown

  readonly toEnd = signal(0); // rises when the conversation should scroll to the newest message

  constructor(readonly state: LineState, readonly chatId: string) {
    this.history = new History(state.line, chatId);
  }

  close(): void {
    this.history.close();
    this.deed.end();
  }
}
