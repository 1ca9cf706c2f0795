// The names of people and chats. Most events hold only ids. The names come from
// messages that were seen, from the list of employees if this user may read it,
// and, for an unknown chat on the screen, from the API.
import { effect, signal } from '@preact/signals';
import { call, type Rest } from './api';
import { onEvent, owner } from './log';
import { chatName, type Names } from './naming';
import { present } from './presence';
import { licenses, me } from './session';

/**
 * The version rises when there are more names, so that texts with the old ones are
 * written again.
 */
export const namesVersion = signal(0);

const keepChats = 5000;
const atOnce = 2; // lookups
const waitingRoom = 50; // earlier requests beyond that were scrolled out of sight, and are dropped

const users = new Map<number, string>();
const chats = new Map<string, string | null>(); // null: looked up, but without a name
const wanted = new Map<string, [number, string, string]>();
let looking = 0;

const key = (licenseId: number, messenger: string, chatId: string) => `${licenseId} ${messenger} ${chatId}`;

export const names: Names = {
  isMe: (id) => me.peek()?.id === id,
  user(id) {
    const who = me.peek();
    if (who?.id === id) return who.name;
    return users.get(id) ?? present.peek().find((p) => p.id === String(id))?.name ?? null;
  },
  chat: (licenseId, messenger, chatId) => chats.get(key(licenseId, messenger, chatId)) ?? null,
};

/**
 * named gives the names for texts on the screen. It asks the API for the name of an
 * unknown chat.
 */
export const named: Names = {
  ...names,
  chat(licenseId, messenger, chatId) {
    const k = key(licenseId, messenger, chatId);
    const name = chats.get(k);
    if (name === undefined && !wanted.has(k)) {
      wanted.set(k, [licenseId, messenger, chatId]);
      trim(wanted, waitingRoom);
      queueMicrotask(look);
    }
    return name ?? null;
  },
};

function keep(k: string, name: string | null): void {
  if (chats.get(k) === name) return;
  chats.delete(k); // moves it to the end, as the newest
  chats.set(k, name);
  trim(chats, keepChats);
  tell();
}

// Once a frame, because names may come as quickly as events.
let frame = 0;

function tell(): void {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    namesVersion.value++;
  });
}

function trim(map: Map<string, unknown>, size: number): void {
  for (const k of map.keys()) {
    if (map.size <= size) return;
    map.delete(k);
  }
}

function look(): void {
  for (const [k, at] of wanted) {
    if (looking >= atOnce) return;
    wanted.delete(k);
    if (chats.has(k)) continue;
    looking++;
    void ask(k, ...at).finally(() => {
      looking--;
      look();
    });
  }
}

async function ask(k: string, licenseId: number, messenger: string, chatId: string): Promise<void> {
  const who = me.peek()?.id;
  let name: string | null = null;
  try {
    if (licenses.peek().some((l) => l.licenseId === licenseId)) {
      const path = `/v1/licenses/${licenseId}/messengers/${encodeURIComponent(messenger)}/chats/${encodeURIComponent(chatId)}`;
      name = chatName(await call<Rest['Chat']>('GET', path));
    }
  } catch {
    // the chat's id must do
  }
  if (me.peek()?.id === who && !chats.has(k)) keep(k, name);
}

/** learn takes the chat's name from an event that contains it. */
function learn(event: string, data: unknown): void {
  if (event !== 'message' && event !== 'messageStatus') return;
  const p = (data as { payload?: { data?: unknown; meta?: { licenseId?: unknown; messengerType?: unknown } } } | null)?.payload;
  if (!Array.isArray(p?.data) || typeof p.meta?.licenseId !== 'number' || typeof p.meta.messengerType !== 'string') return;
  for (const item of p.data as ({ chat?: { id?: unknown; name?: unknown; phone?: unknown } } | null)[]) {
    const chat = item?.chat;
    if (typeof chat?.id !== 'string') continue;
    const k = key(p.meta.licenseId, p.meta.messengerType, chat.id);
    const name = chatName(chat);
    // a status has only the phone: no reason to forget the name
    if (name !== null && (event === 'message' || !chats.get(k))) keep(k, name);
  }
}

onEvent((e) => learn(e.event, e.data), true);

async function readEmployees(who: Rest['Me']): Promise<void> {
  for (const company of who.companies) {
    if (company.role !== 'owner' && company.role !== 'admin') continue;
    let page = '';
    do {
      const answer = await call<{ items: Rest['Employee'][]; nextPage: string | null }>(
        'GET', `/v1/companies/${company.id}/employees?limit=100${page && `&nextPage=${encodeURIComponent(page)}`}`,
      );
      if (me.peek()?.id !== who.id) return;
      for (const e of answer.items) users.set(e.userId, e.name);
      page = answer.nextPage ?? '';
    } while (page !== '');
  }
  tell();
}

let whose = 0;

effect(() => {
  const who = me.value?.totp === 'required' ? null : me.value; // who must set up a second factor may read nothing yet
  const id = who?.id ?? owner.value;
  if (id === whose) return;
  whose = id;
  users.clear();
  chats.clear();
  wanted.clear();
  if (who !== null) readEmployees(who).catch(() => undefined); // unknown users are shown by number
});

effect(() => {
  for (const p of present.value) {
    const id = Number(p.id);
    if (users.get(id) === undefined && p.name !== p.id) {
      users.set(id, p.name);
      tell();
    }
  }
});
