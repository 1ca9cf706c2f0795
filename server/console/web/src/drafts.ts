// Unsent texts, by chat and by author. They survive views, reloads and sends that fail.
// Like the session they live in this tab's sessionStorage, and end with it: a sign-out
// leaves nothing behind. When a session ends by itself the page keeps them for its
// user, and loses them when it is reloaded or another user signs in.
import { effect, signal } from '@preact/signals';
import { onEvent } from './log';
import { left, me, signedIn } from './session';

interface Draft {
  text: string;
  /** What was sent last without a success, and its key: sent again, it counts once. */
  sent?: { what: string; key: string };
}

const place = 'chatcast.drafts';
const most = 200; // drafts

/** It rises when a draft begins or ends. */
export const draftsVersion = signal(0);

let owner = 0; // the user whose drafts these are; 0: nobody
let drafts = new Map<string, Draft>();

/** draftKey names the draft of an author in a chat of a line. */
export function draftKey(line: { licenseId: number; messenger: string }, chatId: string, author: 'operator' | 'customer'): string {
  return JSON.stringify([line.licenseId, line.messenger, chatId, author]);
}

export function draftText(key: string): string {
  return drafts.get(key)?.text ?? '';
}

export function setDraft(key: string, text: string): void {
  const before = drafts.get(key);
  if ((before?.text ?? '') === text) return;
  drafts.delete(key); // moves it to the end, as the newest
  if (text !== '' || before?.sent !== undefined) drafts.set(key, { ...before, text });
  for (const oldest of drafts.keys()) if (drafts.size > most) drafts.delete(oldest);
  if ((before?.text ?? '') === '' || text === '') changed();
  save();
}

export function lastSent(key: string): Draft['sent'] {
  return drafts.get(key)?.sent;
}

/** setSent keeps the key of what is sent now; undefined: it went out. */
export function setSent(key: string, sent: Draft['sent']): void {
  const text = draftText(key);
  if (text === '' && sent === undefined) drafts.delete(key);
  else drafts.set(key, { text, ...(sent && { sent }) });
  save();
}

const changed = () => (draftsVersion.value = draftsVersion.peek() + 1);

function save(): void {
  try {
    if (drafts.size === 0) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, JSON.stringify({ owner, drafts: [...drafts] }));
  } catch {
    // storage is off or full: the drafts live until the page is left
  }
}

function stored(user: number): Map<string, Draft> {
  try {
    const kept = JSON.parse(sessionStorage.getItem(place) ?? 'null') as { owner: number; drafts: [string, Draft][] } | null;
    if (kept?.owner === user) return new Map(kept.drafts.filter(([key, d]) => typeof key === 'string' && typeof d?.text === 'string'));
  } catch {
    // not ours
  }
  return new Map();
}

effect(() => {
  const who = me.value?.id;
  if (!signedIn.value) {
    try {
      sessionStorage.removeItem(place); // nothing is stored of a session that is over
    } catch {
      // storage is off
    }
    return;
  }
  if (who === undefined) return;
  if (owner !== who) {
    drafts = stored(who);
    owner = who;
  }
  save();
  changed();
});

left.subscribe((times) => {
  if (times === 0) return;
  owner = 0;
  drafts = new Map();
  changed();
});

/** A chat that became part of another one takes its drafts along. */
onEvent((e) => {
  if (e.event !== 'chatMerge') return;
  const p = (e.data as { payload?: { data?: unknown; meta?: { licenseId?: unknown; messengerType?: unknown } } } | null)?.payload;
  if (!Array.isArray(p?.data) || typeof p.meta?.licenseId !== 'number' || typeof p.meta.messengerType !== 'string') return;
  const line = { licenseId: p.meta.licenseId, messenger: p.meta.messengerType };
  for (const item of p.data as ({ from?: { id?: unknown }; to?: { id?: unknown } } | null)[]) {
    if (typeof item?.from?.id !== 'string' || typeof item.to?.id !== 'string') continue;
    for (const author of ['operator', 'customer'] as const) {
      const from = draftKey(line, item.from.id, author);
      const to = draftKey(line, item.to.id, author);
      if (draftText(from) !== '' && draftText(to) === '') setDraft(to, draftText(from));
      setDraft(from, '');
    }
  }
});
