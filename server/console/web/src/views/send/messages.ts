// The messages of a chat as a list, oldest first. The functions keep no state.
// Messages from the history and from events are merged here; either may come first.
import type { Item } from '@chatcast/events';
import type { Rest } from '../../api';
import { authorName, plain } from '../../naming';
import { words } from '../../words';
import type { ChatEvent } from './events';

/** Msg is a message of the history. One that came as an event has no internalId yet. */
export type Msg = Omit<Rest['Message'], 'internalId'> & { internalId: number | null };

// Failed ranks below delivered: a delivered message has not failed.
const rank: Record<string, number> = { '': 0, sent: 1, failed: 2, delivered: 3, viewed: 4 };

/** idOf is the id as a key: messengers use numbers or strings. */
export const idOf = (m: { id: string | number }) => String(m.id);

function fromEvent(item: Item<'message'>): Msg {
  return { ...item, internalId: null, status: '', statusTime: null, error: null, editedAt: null, deletedAt: null } as Msg;
}

/** both merges two versions of one message. Each fact is the latest that either has. */
export function both(a: Msg, b: Msg): Msg {
  const status = (rank[b.status] ?? 0) >= (rank[a.status] ?? 0) ? b : a;
  const content = (b.editedAt ?? 0) >= (a.editedAt ?? 0) ? b : a;
  const deletedAt = b.deletedAt ?? a.deletedAt;
  return {
    ...b, internalId: b.internalId ?? a.internalId, type: content.type, subtype: content.subtype,
    status: status.status, statusTime: status.statusTime, error: status.error,
    message: deletedAt === null ? content.message : { text: '', caption: '', file: null }, editedAt: content.editedAt, deletedAt,
  };
}

/** put adds messages to the list, in the order of their time. */
export function put(list: readonly Msg[], added: readonly Msg[]): Msg[] {
  const next = [...list];
  const at = new Map(next.map((m, i) => [idOf(m), i]));
  let sorted = true;
  for (const m of added) {
    const i = at.get(idOf(m));
    if (i !== undefined) next[i] = both(next[i]!, m);
    else {
      const last = next[next.length - 1];
      sorted &&= last === undefined || before(last, m) <= 0;
      at.set(idOf(m), next.push(m) - 1);
    }
  }
  return sorted ? next : next.sort(before);
}

// The order of the history: by time, then by arrival. A message without internalId
// came after all that have one.
function before(a: Msg, b: Msg): number {
  return a.time - b.time || (a.internalId ?? Infinity) - (b.internalId ?? Infinity) || 0;
}

/** applyEvent is the list after an event; undefined: the event does not concern it. */
export function applyEvent(list: readonly Msg[], t: ChatEvent): Msg[] | undefined {
  if (t.name === 'message') return put(list, [fromEvent(t.item)]);
  if (t.name !== 'messageStatus' && t.name !== 'messageEdit' && t.name !== 'messageDelete') return undefined;
  const i = list.findLastIndex((m) => idOf(m) === idOf(t.item));
  if (i < 0) return undefined;
  const m = list[i]!;
  const next = [...list];
  switch (t.name) {
    case 'messageStatus': next[i] = both(m, { ...m, status: t.item.type, statusTime: t.item.time, error: t.item.error } as Msg); break;
    case 'messageEdit':
      if (t.item.error !== null && t.item.error !== undefined) { // a failed change: restores the message, deleted or not
        next[i] = { ...m, message: t.item.message, editedAt: null, deletedAt: null } as Msg;
        break;
      }
      next[i] = both(m, edited(m, t.item));
      break;
    case 'messageDelete': next[i] = both(m, { ...m, deletedAt: t.item.time }); break;
  }
  return next;
}

/**
 * edited is the message as messageEdit says it is now. Not every such event is an
 * edit by a person: a file arrives after its message, and an unreadable message may
 * be read later.
 */
function edited(m: Msg, now: Item<'messageEdit'>): Msg {
  const same = m.type !== now.type || (m.message.text === now.message.text && m.message.caption === now.message.caption);
  const subtype = m.type === now.type ? m.subtype : null;
  return { ...m, type: now.type, subtype, message: now.message, editedAt: same ? m.editedAt : now.time } as Msg;
}

/** A reaction to a message, and its author. */
export interface Reaction {
  emoji: string;
  who: string;
  mine: boolean; // of our side
}

/**
 * reactions are the current ones, by the message that they refer to. Each person
 * has one reaction per message: the last one counts, and an empty one removes it.
 */
export function reactions(list: readonly Msg[]): Map<string, Reaction[]> {
  const last = new Map<string, Map<string, Reaction>>();
  for (const m of list) {
    const r = m.message.reaction;
    if (m.type !== 'reaction' || !r || m.deletedAt !== null) continue;
    const to = String(r.messageId);
    const of = last.get(to) ?? last.set(to, new Map()).get(to)!;
    const who = m.side === 'out' ? 'us' : String(m.fromUser.id); // a line has one account, whichever user writes
    of.delete(who);
    if (r.emoji !== '') of.set(who, { emoji: plain(r.emoji), who: plain(m.fromUser.name ?? ''), mine: m.side === 'out' });
  }
  return new Map([...last].map(([id, of]) => [id, [...of.values()]]));
}

/**
 * votes are the voters by poll and option. Each person has one vote in a poll, for
 * any number of options: the last one counts.
 */
export function votes(list: readonly Msg[]): Map<string, Map<string, string[]>> {
  const last = new Map<string, Map<string, Msg>>();
  for (const m of list) {
    const v = m.message.vote;
    if (!v || m.deletedAt !== null) continue;
    const poll = String(v.messageId);
    const of = last.get(poll) ?? last.set(poll, new Map()).get(poll)!;
    of.set(m.side === 'out' ? 'us' : String(m.fromUser.id), m);
  }
  return new Map([...last].map(([poll, of]) => {
    const by = new Map<string, string[]>();
    for (const m of of.values()) for (const o of m.message.vote!.options) by.set(o, [...(by.get(o) ?? []), m.side === 'out' ? words.send.message.us : authorName(m.fromUser)]);
    return [poll, by];
  }));
}

/**
 * shown are the messages with a bubble. A reaction or a vote has one only if its
 * target is not in the list.
 */
export function shown(list: readonly Msg[]): Msg[] {
  const there = new Set(list.map(idOf));
  return list.filter((m) => {
    const to = m.message.vote ?? (m.type === 'reaction' ? m.message.reaction : undefined);
    return !to || !there.has(String(to.messageId));
  });
}

/** nextStatuses are the statuses that a message may still get. */
export function nextStatuses(m: Msg): ('sent' | 'delivered' | 'viewed' | 'failed')[] {
  if (m.side !== 'out' || m.deletedAt !== null || m.status === 'failed') return [];
  return (['sent', 'delivered', 'viewed', 'failed'] as const).filter((s) => rank[s]! > (rank[m.status] ?? 0));
}

/**
 * failureText is why a message failed: the bridge's own words, or, for an account
 * of this program, the meaning of its code.
 */
export function failureText(error: unknown, account = false): string {
  if (typeof error === 'string') return error;
  const e = (error ?? {}) as { message?: unknown; title?: unknown; code?: unknown };
  const reasons = words.send.message.reasons;
  if (account && typeof e.code === 'string' && Object.hasOwn(reasons, e.code)) return reasons[e.code]!(typeof e.message === 'string' ? e.message : '');
  const said = [e.message, e.title, e.code].find((t) => typeof t === 'string' && t !== '' || typeof t === 'number');
  return said === undefined ? '' : String(said);
}

/** inWords is a content in a few words. */
export function inWords(type: string, c: Rest['Content'] | null | undefined): string {
  const say = words.send.message;
  const kind = say.kinds[type] ?? type;
  if (!c) return plain(kind);
  if (type === 'reaction' && c.reaction) return say.reacted(plain(c.reaction.emoji));
  if (c.vote) return say.voted(c.vote.options.map(plain));
  return plain(c.text || c.caption || c.file?.name || c.location?.name || c.contact?.name || c.poll?.question || kind);
}
