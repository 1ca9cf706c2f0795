// What people and chats are called. Events say mostly ids; the names come from the
// messages that were seen, from the list of employees where this user may read it,
// and, for a chat that is on the screen and not known, from the API.
import { effect, signal } from '@preact/signals';
import { call, type Rest } from './api';
import { onEvent, owner } from './log';
import { chatName, type Names } from './naming';
import { present } from './presence';
import { licenses, me } from './session';

/** It rises when there are more names: what was written with the old ones is written again. */
export const namesVersion = signal(0);

const keepChats = 5000;
const atOnce = 2; // lookups
const waitingRoom = 50; // what is asked for beyond that was scrolled away

const users = new Map<number, string>();
const chats = new Map<string, string | null>(); // null: looked up, and has no name
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

/** named are the names for what is shown: of a chat without one it asks the API. */
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
  chats.delete(k); // to the end, as the newest
  chats.set(k, name);
  trim(chats, keepChats);
  tell();
}

// Once a frame: names may come as quickly as events.
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
    // its id has to do
  }
  if (me.peek()?.id === who && !chats.has(k)) keep(k, name);
}

/** learn takes the chat's name from an event that says it. */
function learn(event: string, data: unknown): void {
  if (event !== 'message' && event !== 'messageStatus') return;
  const p = (data as { payload?: { data?: unknown; meta?: { licenseId?: unknown; messengerType?: unknown } } } | null)?.payload;
  if (!Array.isArray(p?.data) || typeof p.meta?.licenseId !== 'number' || typeof p.meta.messengerType !== 'string') return;
  for (const item of p.data as ({ chat?: { id?: unknown; name?: unknown; phone?: unknown } } | null)[]) {
    const chat = item?.chat;
    if (typeof chat?.id !== 'string') continue;
    const k = key(p.meta.licenseId, p.meta.messengerType, chat.id);
    const name = chatName(chat);
    // a status has the phone alone: no reason to forget the name
    if (name !== null && (event === 'message' || !chats.get(k))) keep(k, name);
  }
}

onEvent((e) => learn(e.event, e.data));

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
  const who = me.value;
  const id = who?.id ?? owner.value;
  if (id === whose) return;
  whose = id;
  users.clear();
  chats.clear();
  wanted.clear();
  if (who !== null) readEmployees(who).catch(() => undefined); // names that are not known are numbers
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
