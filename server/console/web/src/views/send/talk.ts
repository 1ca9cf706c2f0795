// What the parts of one open conversation share.
import { signal } from '@preact/signals';
import { draftKey } from '../../drafts';
import { Deed } from './deed';
import { History } from './history';
import type { LineState } from './linestate';
import type { Msg } from './messages';
import { trayOf, type Tray } from './tray';

export class Talk {
  readonly history: History;
  readonly deed = new Deed();
  readonly as = signal<'operator' | 'customer'>('operator');
  readonly reply = signal<Msg | null>(null);
  readonly editing = signal<Msg | null>(null);
  readonly opened = signal(''); // the message whose actions are shown

  readonly tray: Tray; // the files that the operator has chosen
  seen = () => {}; // to be called when the newest messages came into sight
  readonly toEnd = signal(0); // rises when the conversation should scroll to the newest message

  constructor(readonly state: LineState, readonly chatId: string) {
    this.history = new History(state.line, chatId);
    this.tray = trayOf(draftKey(state.line, chatId, 'operator'));
  }

  close(): void {
    this.history.close();
    this.deed.end();
  }
}
