// One line of plain words about an event. Data from a socket need not have its
// declared type: a payload that does not gets a line that says so.
import { isEvent, type EventName } from '@chatcast/events';
import { chatName, phone, plain, type Names } from '../../naming';
import { words } from '../../words';

const say = words.live.say;
const longest = 240; // characters of a text

class Malformed extends Error {}

/** summarize never throws. */
export function summarize(event: string, data: unknown, names: Names): string {
  if (!isEvent(event)) return event.startsWith('client-') ? say.client(text(event)) : say.unknown(text(event));
  try {
    const payload = object(object(data).payload);
    const meta = object(payload.meta);
    const items = payload.data;
    if (!Array.isArray(items) || items.length === 0) throw new Malformed();
    const first = lines[event](new Item(object(items[0]), meta, names), items.length);
    return items.length > 1 && !counted.has(event) ? say.more(first, items.length - 1) : first;
  } catch {
    return say.malformed(event);
  }
}

type Fields = Record<string, unknown>;

function object(v: unknown): Fields {
  if (typeof v !== 'object' || v === null || Array.isArray(v)) throw new Malformed();
  return v as Fields;
}

function text(v: unknown): string {
  if (typeof v !== 'string') throw new Malformed();
  const line = v.length > 4 * longest ? v.slice(0, 4 * longest) : v; // before the costly part
  const flat = plain(line).replace(/\s+/g, ' ').trim();
  return flat.length > longest ? [...flat].slice(0, longest).join('') + '…' : flat;
}

function number(v: unknown): number {
  if (typeof v !== 'number') throw new Malformed();
  return v;
}

/** Item is an element of payload.data, with words for the people and things in it. */
class Item {
  constructor(readonly fields: Fields, readonly meta: Fields, private readonly names: Names) {}

  get type(): string {
    return text(this.fields.type);
  }

  user(field: string): string {
    return this.person(number(object(this.fields[field]).id));
  }

  person(id: number): string {
    return this.names.isMe(id) ? say.you : plain(this.names.user(id) ?? '') || say.user(id);
  }

  /** chat is the chat's name, as far as it is known. */
  chat(): string {
    return this.chatOf('chat');
  }

  /** chatOf is the name of the chat in a field, which may hold only the chat's id. */
  chatOf(field: string): string {
    const chat = object(this.fields[field]);
    const id = text(chat.id);
    const known = () => this.names.chat(number(this.meta.licenseId), text(this.meta.messengerType), id);
    const name = chatName({ name: chat.name }) ?? known() ?? chatName({ phone: chat.phone });
    if (name !== null) return text(name);
    const number_ = /^(\d{7,15})@c\.us$/.exec(id);
    return number_ !== null ? phone(number_[1]!) : say.chat(id);
  }

  /** by adds who did it, if known. */
  by(line: string): string {
    return this.fields.edited == null ? line : say.by(line, this.user('edited'));
  }

  has(field: string): boolean {
    return this.fields[field] != null;
  }
}

// These summaries include their own count.
const counted: ReadonlySet<EventName> = new Set(['quickResponse', 'quickResponseList']);

/** pick is the word for a value that the event may have. */
function pick<T>(of: Record<string, T>, value: string): T {
  if (!Object.hasOwn(of, value)) throw new Malformed();
  return of[value]!;
}

const lines: Record<EventName, (i: Item, n: number) => string> = {
  message,
  messageStatus: (i) => pick(say.status, i.type)(i.chat(), reason(i.fields.error)),
  messageEdit: (i) => {
    const what = content(text(i.fields.type), object(i.fields.message));
    return i.has('error') ? say.takenBack(i.chat(), what, reason(i.fields.error)) : i.by(say.edited(i.chat(), what));
  },
  messageDelete: (i) => i.by(say.deleted(i.chat())),
  messengerStatus: (i) => pick(say.messengerStatus, text(i.fields.state)),
  qr: (i) => (i.has('qr') ? say.qr : say.code),
  chatTag: (i) => i.by(pick(say.tag, i.type)(text(object(i.fields.tag).name), i.chat())),
  chatStatus: (i) => i.by(pick(say.chatStatus, i.type)(i.chat())),
  chatResponsible: (i) => i.by(i.has('responsible') ? say.responsible(i.user('responsible'), i.chat()) : say.noResponsible(i.chat())),
  chatResponsiblePin: (i) => i.by(pick(say.pin, i.type)(i.chat())),
  chatProducer: (i) => i.by(i.has('producer') ? say.producer(i.user('producer'), i.chat()) : say.noProducer(i.chat())),
  chatAccomplice: (i) => i.by(pick(say.accomplice, i.type)(i.user('accomplice'), i.chat())),
  chatAuditor: (i) => i.by(pick(say.auditor, i.type)(i.user('auditor'), i.chat())),
  chatLevel: (i) => i.by(i.has('level') ? say.level(number(object(i.fields.level).id), i.chat()) : say.noLevel(i.chat())),
  chatConversation: (i) => pick(say.conversation, text(object(i.fields.conversation).type))(i.chat()),
  chatRead: (i) => i.by(say.read(i.chat())),
  chatProcess: (i) => i.by(i.has('process') ? say.inWork(i.chat()) : say.laidAside(i.chat())),
  chatName: (i) => i.by(say.chatName(i.chat(), text(i.fields.name))),
  contactName: (i) => i.by(say.contactName(text(object(i.fields.contact).id), text(i.fields.name))),
  contactBlock: (i) => i.by((i.fields.blocked === true ? say.blocked : say.unblocked)(text(object(i.fields.contact).id))),
  chatState: (i) => i.by(say.chatState(i.chat())),
  call: (i) => pick(say.call, i.type)(i.chat()),
  instance: (i) => i.by(pick(say.instance, i.type)(text(object(i.fields.instance).name))),
  companyTag: (i) => i.by(pick(say.companyTag, i.type)(text(object(i.fields.tag).name))),
  chatMerge: (i) => say.merged(i.chatOf('from'), i.chatOf('to')),
  chatGroup: (i) => {
    const line = pick(say.group, i.type)(i.chat(), people(i.fields.members));
    const by = i.has('by') ? optional(object(i.fields.by).name) : '';
    return by !== '' ? say.did(line, by) : i.by(line);
  },
  chatPresence: (i) => pick(say.presence, i.type)(chatName({ name: object(i.fields.fromUser).name }) ?? i.chat()),
  employeeStatus: (i) => pick(say.employeeStatus, i.type)(i.user('employee')),
  employeeWorkday: (i) => pick(say.workday, i.type)(i.user('employee')),
  quickResponse: (i, n) => pick(say.quickResponse, i.type)(n, optional(object(i.fields.quickResponse).name)),
  quickResponseList: (i, n) => pick(say.quickResponseList, i.type)(n, optional(object(i.fields.quickResponseList).name)),
};

/** people names the members of a group. */
function people(members: unknown): string {
  if (!Array.isArray(members)) throw new Malformed();
  return members.map((m) => {
    const { id, name, phone: number_ } = object(m);
    return chatName({ name, phone: number_ }) ?? text(id);
  }).join(', ');
}

function optional(v: unknown): string {
  return typeof v === 'string' ? text(v) : '';
}

function reason(error: unknown): string {
  if (typeof error === 'string') return text(error);
  const e = error as { message?: unknown; title?: unknown } | null | undefined;
  return optional(e?.message) || optional(e?.title);
}

function message(i: Item): string {
  const what = content(text(i.fields.type), object(i.fields.message));
  const author = optional(object(i.fields.fromUser).name);
  if (i.fields.side === 'out') {
    return say.out(i.has('created') ? i.user('created') : author || say.ourSide, i.chat(), what);
  }
  const chat = i.chat();
  return object(i.fields.chat).type === 'group' ? say.inGroup(author || say.somebody, chat, what) : say.in(author || chat, what);
}

/** content is the content of a message in one line. */
function content(type: string, m: Fields): string {
  const text = optional(m.text) || optional(m.caption);
  switch (type) {
    case 'text':
      return text || say.nothing;
    case 'location':
      return say.location(m.location == null ? '' : optional(object(m.location).name) || optional(object(m.location).address));
    case 'contact':
      return say.contact(m.contact == null ? '' : optional(object(m.contact).name));
    case 'poll':
      return say.poll(m.poll == null ? '' : optional(object(m.poll).question));
    case 'reaction': {
      const emoji = m.reaction == null ? text : optional(object(m.reaction).emoji);
      return emoji === '' ? say.noReaction : say.reaction(emoji);
    }
    default: {
      const kind = Object.hasOwn(say.kinds, type) ? say.kinds[type]! : type;
      const file = m.file == null ? '' : optional(object(m.file).name);
      return text || file ? say.kind(kind, text || file) : kind;
    }
  }
}
