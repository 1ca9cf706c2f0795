// Marks the open chat as read while the operator looks at its newest messages.
import { effect } from '@preact/signals';
import { call } from '../../api';
import { chatPath, type Chat } from './line';
import type { Talk } from './talk';

const pause = 10_000; // milliseconds after a failure

export class Reading {
  private busy = false;
  private notBefore = 0;
  private readonly end = new AbortController();
  private readonly deaf: () => void;

  constructor(private readonly talk: Talk) {
    // A chat that gets a message is unread until it is read here, so this runs for each.
    this.deaf = effect(() => {
      void talk.state.chats.open.value.chat?.unread;
      void talk.history.state.value;
      void talk.history.messages.value;
      void talk.as.value;
      queueMicrotask(() => void this.look());
    });
    const look = () => void this.look();
    addEventListener('focus', look, { signal: this.end.signal });
    document.addEventListener('visibilitychange', look, { signal: this.end.signal });
  }

  close(): void {
    this.deaf();
    this.end.abort();
  }

  /** look marks the chat as read if somebody sees all of it now. */
  async look(): Promise<void> {
    const { state, history, chatId } = this.talk;
    const { chat } = state.chats.open.peek();
    if (this.busy || this.end.signal.aborted || Date.now() < this.notBefore) return;
    if (chat === null || chat.unread === 0 || !state.line.write || this.talk.as.peek() !== 'operator') return;
    if (history.state.peek() !== 'ready' || !history.atEnd || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    this.busy = true;
    try {
      state.chats.put(await call<Chat>('PATCH', `${chatPath(state.line, chatId)}/read`, undefined, { signal: this.end.signal }));
    } catch {
      this.notBefore = Date.now() + pause; // the count stays, and the next message or look tries again
    }
    this.busy = false;
  }
}
