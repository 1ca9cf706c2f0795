// What the view sends: as the operator through the message routes, and as the
// customer through POST L/inbound, as a user's own bridge would.
import { call, type Rest } from '../../api';
import { me } from '../../session';
import { words } from '../../words';
import type { Deed, Expected } from './deed';
import { editorOf } from './events';
import { chatPath, linePath, type Line } from './line';
import { idOf, type Msg } from './messages';

/** InboundMessage is a message as a bridge posts it. */
export type InboundMessage = Omit<Rest['InboundMessage'], 'message'> & { message: Partial<Rest['Content']> };

/** postInbound writes as a customer. It returns undefined if that failed; the deed says why. */
export async function postInbound(deed: Deed, line: Line, m: InboundMessage): Promise<{ chatId: string } | undefined> {
  let chatId = '';
  const expected: Expected = {
    line, events: ['message', 'chatStatus', 'chatConversation'],
    of(id, t) {
      if (t.name !== 'message') return id === chatId && editorOf(t) === null; // these events follow their message
      if (idOf(t.item) !== String(m.id)) return false;
      chatId = id;
      return true;
    },
  };
  const answer = await deed.run(expected, () => call<Rest['InboundAnswer']>('POST', `${linePath(line)}/inbound`, { messages: [m] }));
  const result = answer?.messages[0];
  if (result?.result === 'duplicate') deed.note(words.send.outcome.duplicate);
  return result;
}

/** report reports the status of a message, as a bridge would. */
export async function report(deed: Deed, line: Line, chatId: string, m: Msg, type: Rest['InboundStatus']['type']): Promise<boolean> {
  const expected: Expected = {
    line, events: ['messageStatus'],
    of: (id, t) => id === chatId && t.name === 'messageStatus' && idOf(t.item) === idOf(m),
  };
  const status = { id: m.id, chat: { id: chatId }, type, ...(type === 'failed' && { error: { message: words.send.message.failure } }) };
  const answer = await deed.run(expected, () => call<Rest['InboundAnswer']>('POST', `${linePath(line)}/inbound`, { statuses: [status] }));
  const result = answer?.statuses[0]?.result;
  if (result === 'unchanged') deed.note(words.send.outcome.unchanged);
  if (result === 'unknown') deed.failed(words.send.outcome.unknown);
  return answer !== undefined;
}

/** What an operator sends. The key makes it safe to send again. */
export interface Outgoing {
  kind: 'text' | 'file' | 'location' | 'contact' | 'poll' | 'reaction';
  body: object | FormData;
  key: string;
}

/** send sends as the operator. */
export async function send(deed: Deed, line: Line, chatId: string, m: Outgoing): Promise<Rest['Sent'] | undefined> {
  const who = me.peek()?.id;
  const expected: Expected = {
    line, events: ['message', 'chatConversation'],
    of: (id, t) => id === chatId && (t.name !== 'message' || (t.item.side === 'out' && t.item.created?.id === who)),
  };
  return deed.run(expected, () => call<Rest['Sent']>('POST', `${chatPath(line, chatId)}/messages/${m.kind}`, m.body, { headers: { 'Idempotency-Key': m.key } }));
}

/** edit changes the text or caption of a message of ours. */
export async function edit(deed: Deed, line: Line, chatId: string, m: Msg, text: string): Promise<Msg | undefined> {
  const expected: Expected = { line, events: ['messageEdit'], of: (id, t) => id === chatId && t.name === 'messageEdit' && idOf(t.item) === idOf(m) };
  return deed.run(expected, () => call<Msg>('PATCH', messagePath(line, chatId, m), m.type === 'text' ? { text } : { caption: text }));
}

/** remove deletes a message of ours for everyone. */
export async function remove(deed: Deed, line: Line, chatId: string, m: Msg): Promise<boolean> {
  const expected: Expected = { line, events: ['messageDelete'], of: (id, t) => id === chatId && t.name === 'messageDelete' && idOf(t.item) === idOf(m) };
  return (await deed.run(expected, async () => {
    await call('DELETE', messagePath(line, chatId, m));
    return true;
  })) ?? false;
}

function messagePath(line: Line, chatId: string, m: Msg): string {
  return `${chatPath(line, chatId)}/messages/${encodeURIComponent(idOf(m))}`;
}

/** mayEdit says whether to offer editing of the message. The server makes the decision. */
export function mayEdit(line: Line, m: Msg): boolean {
  return mayRemove(line, m) && (m.type === 'text' || m.message.file !== null) && (line.admin || m.created === null || m.created.id === me.peek()?.id);
}

export function mayRemove(line: Line, m: Msg): boolean {
  return line.write && m.fromMe && m.deletedAt === null && m.type !== 'reaction';
}
