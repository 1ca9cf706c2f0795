// How events change chats and messages. The functions keep no state. An event need
// not have its declared type: one that does not is skipped.
import { asEvent, type AnyEvent, type Item, type LicenseEvents } from '@chatcast/events';
import type { Rest } from '../../api';
import { isWhole } from './shape';

type Chat = Rest['Chat'];

export type ChatEvent = { [E in LicenseEvents]: { name: E; item: Item<E> } }[LicenseEvents];

export interface Place {
  licenseId: number;
  messenger: string;
}

/** chatEventsOf are the items of an event of the line, each with the id of its chat. */
export function chatEventsOf(at: Place, event: string, data: unknown): { chatId: string; event: ChatEvent }[] {
  const known = asEvent(event, data);
  if (known === undefined) return [];
  try {
    const { meta, data: items } = (known as AnyEvent).data.payload as { meta: { licenseId?: unknown; messengerType?: unknown }; data: unknown };
    if (meta.licenseId !== at.licenseId || meta.messengerType !== at.messenger || !Array.isArray(items)) return [];
    return items.flatMap((item: { chat?: { id?: unknown } } | null) =>
      typeof item?.chat?.id === 'string' && isWhole(event as LicenseEvents, item) ? [{ chatId: item.chat.id, event: { name: event, item } as unknown as ChatEvent }] : []);
  } catch {
    return [];
  }
}

/**
 * applied is the chat after the event. It is the same object if the event changed
 * nothing in it.
 */
export function applied(chat: Chat, event: ChatEvent, levels: readonly Rest['Level'][]): Chat {
  try {
    return change(chat, event, levels);
  } catch {
    return chat; // the item does not have the shape of its event
  }
}

function change(chat: Chat, { name, item }: ChatEvent, levels: readonly Rest['Level'][]): Chat {
  switch (name) {
    case 'message': return arrived(chat, item);
    case 'chatTag': return { ...chat, tags: [...chat.tags.filter((t) => t.id !== item.tag.id), ...(item.type === 'add' ? [item.tag] : [])] };
    case 'chatStatus': return { ...chat, status: item.type };
    case 'chatResponsible': return { ...chat, responsible: item.responsible };
    case 'chatResponsiblePin': return { ...chat, pin: item.type === 'pin' };
    case 'chatProducer': return { ...chat, producer: item.producer };
    case 'chatAccomplice': return { ...chat, accomplices: joined(chat.accomplices, item.accomplice, item.type) };
    case 'chatAuditor': return { ...chat, auditors: joined(chat.auditors, item.auditor, item.type) };
    case 'chatLevel': return { ...chat, level: item.level && (levels.find((l) => l.id === item.level!.id) ?? { ...item.level, name: `#${item.level.id}`, sort: 0 }) };
    case 'chatProcess': return { ...chat, process: item.process };
    case 'chatName': return { ...chat, name: item.name };
    case 'chatRead': return { ...chat, unread: 0 };
    case 'chatConversation': return { ...chat, conversation: item.conversation };
    default: return chat; // of a message, which the conversation shows
  }
}

// Unread messages are not counted here: a list that was just read may already
// contain the message. The count is requested.
function arrived(chat: Chat, m: Item<'message'>): Chat {
  return { ...chat, lastTime: isAside(m) ? chat.lastTime : Math.max(chat.lastTime, m.time), name: m.chat.name || chat.name, phone: m.chat.phone ?? chat.phone };
}

/** isAside tells whether the message is a reaction or a vote, which the server does not count as a message. */
export function isAside(m: Item<'message'>): boolean {
  return m.type === 'reaction' || (m.type === 'poll' && !m.message.poll);
}

function joined(people: readonly Rest['Ref'][], who: Rest['Ref'], type: 'add' | 'destroy'): Rest['Ref'][] {
  return [...people.filter((p) => p.id !== who.id), ...(type === 'add' ? [{ id: who.id }] : [])];
}

/**
 * editorOf is the user who caused the event; null: a rule or a customer caused it,
 * or it does not say.
 */
export function editorOf(t: ChatEvent): number | null {
  const item = t.item as { edited?: { id?: unknown } | null };
  return typeof item.edited?.id === 'number' ? item.edited.id : null;
}
