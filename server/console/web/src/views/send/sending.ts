// Sends the composer's content, as the operator or as the customer. A retry keeps
// its key, so that it counts once even if only the answer was lost.
import { ApiError } from '../../api';
import { words } from '../../words';
import { postInbound, edit, send, type InboundMessage, type Outgoing } from './compose';
import { bytes } from './content';
import { customerOf } from './customer';
import { newId } from './line';
import type { Talk } from './talk';

const say = words.send.composer;

/** Each method says whether the content went out. If it did not, it stays in the composer. */
export class Sending {
  private what = '';
  private key = '';

  constructor(private readonly talk: Talk, private readonly customer: boolean) {}

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

  place(): Promise<boolean> {
    const location = { ...say.placeOf };
    return this.customer ? this.byCustomer('location', { location }) : this.byOperator('location', location);
  }

  async file(f: File, caption: string): Promise<boolean> {
    const { deed, reply } = this.talk;
    const form = new FormData(); // the file is last, because the server reads the form as it comes
    form.set('caption', caption);
    if (reply.peek() !== null) form.set('quotedMessageId', String(reply.peek()!.id));
    form.set('file', f);
    const sent = await this.operator('file', form, `${f.name} ${f.size} ${f.lastModified} ${caption}`);
    if (!sent && deed.cause instanceof ApiError && deed.cause.status === 0) deed.failed(say.broken(bytes(f.size)));
    return sent;
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

  private byOperator(kind: Outgoing['kind'], body: object): Promise<boolean> {
    return this.operator(kind, { ...body, ...this.quoted() }, JSON.stringify(body));
  }

  private async operator(kind: Outgoing['kind'], body: object | FormData, what: string): Promise<boolean> {
    const { deed, state, chatId } = this.talk;
    const sent = await send(deed, state.line, chatId, { kind, body, key: this.keyFor(kind + what) });
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
    if (this.what !== all) this.key = newId();
    this.what = all;
    return this.key;
  }

  private done(id: string | number): void {
    this.what = '';
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
