// Sends the composer's content, as the operator or as the customer. A retry keeps
// its key, so that it counts once even if only the answer was lost.
import { ApiError } from '../../api';
import { lastSent, setSent } from '../../drafts';
import { words } from '../../words';
import { postInbound, edit, send, type InboundMessage, type Outgoing } from './compose';
import { bytes } from './content';
import { customerOf } from './customer';
import { newId } from './line';
import { keepPlace, type Place } from './place';
import type { Talk } from './talk';

const say = words.send.composer;
const large = 10e6; // bytes, from which a file may be over the server's limit

/** Each method says whether the content went out. If it did not, it stays in the composer. */
export class Sending {
  /** draft names the unsent text, with which the key of a failed request is kept. */
  constructor(private readonly talk: Talk, private readonly customer: boolean, private readonly draft: string) {}

  async text(text: string): Promise<boolean> {
    const { talk } = this;
    const changed = talk.editing.peek();
    if (changed === null) return this.customer ? this.byCustomer('text', { text }) : this.byOperator('text', { text });
    const answer = await edit(talk.deed, talk.state.line, talk.chatId, changed, text);
    if (answer === undefined) return false;
    talk.history.saw(answer);
    talk.editing.value = null;
    return true;
  }

  async place(location: Place): Promise<boolean> {
    const sent = await (this.customer ? this.byCustomer('location', { location }) : this.byOperator('location', location));
    if (sent) keepPlace(location);
    return sent;
  }

  /** file returns why the file did not go out; empty: it did. */
  async file(f: File, caption: string, key: string): Promise<string> {
    const { deed, reply, state, chatId } = this.talk;
    const form = new FormData(); // the file is last, because the server reads the form as it comes
    form.set('caption', caption);
    if (reply.peek() !== null) form.set('quotedMessageId', String(reply.peek()!.id));
    form.set('file', f);
    const sent = await send(deed, state.line, chatId, { kind: 'file', body: form, key });
    if (sent !== undefined) {
      this.done(sent.id);
      return '';
    }
    const brokeOff = deed.cause instanceof ApiError && deed.cause.status === 0;
    const error = brokeOff ? (f.size < large ? say.brokeOff : say.broken(bytes(f.size))) : deed.outcome.peek().error;
    deed.clear(); // it is shown with the file
    return error || say.brokeOff; // the deed was left for another one: the file stays
  }

  /**
   * link sends a file of the customer by its address, as a bridge does that has
   * stored the file.
   */
  link(link: string, caption: string): Promise<boolean> {
    const name = decodeURIComponentOr(link.replace(/[?#].*$/, '').replace(/^.*\//, ''));
    const kind = kinds.find(([, ends]) => ends.test(name));
    return this.byCustomer(kind?.[0] ?? 'document', { caption, file: { link, name, size: null, mimeType: null } });
  }

  private async byOperator(kind: Outgoing['kind'], body: object): Promise<boolean> {
    const { deed, state, chatId } = this.talk;
    const sent = await send(deed, state.line, chatId, { kind, body: { ...body, ...this.quoted() }, key: this.keyFor(kind + JSON.stringify(body)) });
    if (sent !== undefined) this.done(sent.id);
    return sent !== undefined;
  }

  private async byCustomer(type: string, message: InboundMessage['message']): Promise<boolean> {
    const { deed, state } = this.talk;
    const id = this.keyFor(type + JSON.stringify(message));
    const result = await postInbound(deed, state.line, { id, ...customerOf(this.talk), type, message, ...this.quoted() });
    if (result !== undefined) this.done(id);
    return result !== undefined;
  }

  private quoted() {
    const m = this.talk.reply.peek();
    return m === null ? {} : { quotedMessageId: m.id };
  }

  private keyFor(what: string): string {
    const all = `${what} ${this.talk.reply.peek()?.id}`;
    const before = lastSent(this.draft);
    if (before?.what === all) return before.key;
    const key = newId();
    setSent(this.draft, { what: all, key });
    return key;
  }

  private done(id: string | number): void {
    setSent(this.draft, undefined);
    this.talk.reply.value = null;
    this.talk.toEnd.value++;
    this.talk.history.expect(String(id));
  }
}

const kinds: [string, RegExp][] = [
  ['image', /\.(jpe?g|png|gif|webp)$/i], ['video', /\.(mp4|webm|mov)$/i], ['audio', /\.(mp3|og[ga]|opus|m4a|wav)$/i],
];

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
