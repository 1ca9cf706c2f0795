// How people and chats are named. The functions keep no state.

/** Names gives the names that a summary needs; null: not known. */
export interface Names {
  /** Whether the user is the one who is signed in. */
  isMe(id: number): boolean;
  user(id: number): string | null;
  chat(licenseId: number, messenger: string, chatId: string): string | null;
}

// Control characters, characters that change the direction of all following text,
// and characters without width. Joiners are kept, because emoji and scripts need
// them, and so are direction marks, which change only themselves.
const unseen = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * plain is a name given by a stranger, without characters that hide or reorder the
 * text beside it.
 */
export function plain(text: string): string {
  return text.replace(unseen, '');
}

/** textOf is the text if it shows anything, else empty. */
function textOf(v: unknown): string {
  const text = typeof v === 'string' ? plain(v) : '';
  return text.trim() === '' ? '' : text;
}

/** chatName is the chat's name for people, or its phone if it has no name. */
export function chatName(chat: { name?: unknown; phone?: unknown; username?: unknown }): string | null {
  const name = textOf(chat.name);
  if (name !== '') return name;
  if (typeof chat.phone === 'string' && chat.phone !== '') return phone(chat.phone);
  const username = textOf(chat.username);
  return username === '' ? null : `@${username}`;
}

/** authorName is the name of a message's author for people. */
export function authorName(from: { id?: unknown; name?: unknown; phone?: unknown }): string {
  return textOf(from.name) || textOf(from.phone) || plain(String(from.id));
}

const longestPhone = 32; // characters: anything longer is no phone number

/**
 * phone is a phone number in groups: "+7 999 000-11-22" if its numbering plan is
 * known, else "+44 7700900123".
 */
export function phone(number: string): string {
  const digits = number.slice(0, longestPhone);
  const d = digits.replace(/\D/g, '');
  const plan = /^([17])(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(d);
  if (plan !== null) return plan[1] === '7' ? `+7 ${plan[2]} ${plan[3]}-${plan[4]}-${plan[5]}` : `+1 ${plan[2]} ${plan[3]}-${plan[4]}${plan[5]}`;
  return d.length > 6 ? `+${d}` : plain(digits);
}
