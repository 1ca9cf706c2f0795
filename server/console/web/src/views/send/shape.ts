// The fields of events that this view reads, and their types. The server's own
// events match their schemas. But anyone with an app's secret may publish any event
// on a line's channel, and such an event must not break the conversation.
import type { LicenseEvents } from '@chatcast/events';
import { words } from '../../words';

type Fields = Record<string, unknown>;
type Check = (v: unknown) => boolean;

const text: Check = (v) => typeof v === 'string';
const number: Check = (v) => typeof v === 'number';
const id: Check = (v) => text(v) || number(v);
const none: Check = (v) => v === null || v === undefined;
const or = (a: Check, b: Check): Check => (v) => a(v) || b(v);
const list = (of: Check): Check => (v) => Array.isArray(v) && v.every(of);
const oneOf = (...values: unknown[]): Check => (v) => values.includes(v);

/** object has these fields, and perhaps more. */
function object(fields: Record<string, Check>): Check {
  const all = Object.entries(fields);
  return (v) => typeof v === 'object' && v !== null && !Array.isArray(v) && all.every(([name, check]) => check((v as Fields)[name]));
}
const maybe = (fields: Record<string, Check>): Check => or(none, object(fields));

const person = object({ id: number });
const nobody = or(none, person);
const kind: Check = (v) => typeof v === 'string' && !(v in Object.prototype); // looked up among words

const content = object({
  text, caption: text,
  file: maybe({ link: text, name: or(none, text), size: or(none, number), mimeType: or(none, text), state: or(none, kind) }),
  location: maybe({ latitude: number, longitude: number, name: or(none, text), address: or(none, text) }),
  contact: maybe({ name: text, phone: text }),
  contacts: or(none, list(object({ name: text, phone: text }))),
  vote: maybe({ messageId: id, options: list(text) }),
  poll: maybe({ question: text, options: list(text) }),
  reaction: maybe({ messageId: id, emoji: text }),
});
const author = object({ name: or(none, text) });
const quoted = maybe({ type: or(none, kind), message: or(none, content), fromUser: or(none, author) });

const shapes: Partial<Record<LicenseEvents, Check>> = {
  message: object({ id, type: kind, subtype: or(none, kind), time: number, side: text, message: content, fromUser: author, quotedMessage: quoted, created: nobody }),
  messageStatus: object({ id, type: kind }),
  messageEdit: object({ id, type: kind, message: content }),
  messageDelete: object({ id }),
  chatTag: object({ tag: object({ id: number, name: text, color: text }) }),
  chatStatus: object({ type: oneOf('open', 'close') }),
  chatResponsible: object({ responsible: nobody }),
  chatProducer: object({ producer: nobody }),
  chatAccomplice: object({ accomplice: person }),
  chatAuditor: object({ auditor: person }),
  chatLevel: object({ level: nobody }),
  chatConversation: object({ conversation: maybe({ type: (v) => typeof v === 'string' && Object.hasOwn(words.send.fact.window, v), endTime: number }) }),
};

/** isWhole says whether the item has all fields that this view reads, each of its type. */
export function isWhole(event: LicenseEvents, item: unknown): boolean {
  return shapes[event]?.(item) ?? true;
}
