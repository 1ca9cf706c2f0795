// The customer in whose name the user writes.
import type { Rest } from '../../api';
import { words } from '../../words';
import type { Talk } from './talk';

type From = { chat: Rest['InboundChatObject']; fromUser: Rest['InboundUser'] };

/** customerOf is the customer of the chat; in a group, the member who wrote last, or a new one. */
export function customerOf(talk: Talk): From {
  const chat = talk.state.chats.open.peek().chat;
  const at = { id: talk.chatId };
  if (chat?.type === 'group') {
    const last = talk.history.messages.peek().findLast((m) => m.side === 'in')?.fromUser;
    if (last) return { chat: at, fromUser: { id: last.id, name: last.name } };
    const sample = words.send.samples[0]!;
    return { chat: at, fromUser: { id: sample.phone.replace(/\D/g, ''), name: sample.name } };
  }
  return { chat: at, fromUser: { id: talk.chatId.replace(/@c\.us$/, ''), name: chat?.name ?? '' } };
}
