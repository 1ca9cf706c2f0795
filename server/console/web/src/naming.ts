// How people and chats are called: rules without state.

/** Names is what a summary asks; null: not known. */
export interface Names {
  /** The user is the one who looks. */
  isMe(id: number): boolean;
  user(id: number): string | null;
  chat(licenseId: number, messenger: string, chatId: string): string | null;
}

// Controls, what turns the direction of all that follows, and what has no width. Emoji
// and scripts need their joiners, and marks of direction turn nothing but themselves.
const unseen = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/g;

/** plain is what strangers call something, without characters that hide or reorder what stands beside it. */
export function plain(text: string): string {
  return text.replace(unseen, '');
}

/** textOf is the text when there is something to see in it; empty: there is not. */
function textOf(v: unknown): string {
  const text = typeof v === 'string' ? plain(v) : '';
  return text.trim() === '' ? '' : text;
}

/** chatName is what people call the chat: its name, else its phone. */
export function chatName(chat: { name?: unknown; phone?: unknown; username?: unknown }): string | null {
  const name = textOf(chat.name);
  if (name !== '') return name;
  if (typeof chat.phone === 'string' && chat.phone !== '') return phone(chat.phone);
  const username = textOf(chat.username);
  return username === '' ? null : `@${username}`;
}

/** authorName is what people call who wrote a message. */
export function authorName(from: { id?: unknown; name?: unknown; phone?: unknown }): string {
  return textOf(from.name) || textOf(from.phone) || plain(String(from.id));
}

const longestPhone = 32; // characters: what is longer is no number

/** phone is a number in groups: "+7 999 000-11-22" where the plan is known, else "+44 7700900123". */
export function phone(number: string): string {
  const digits = number.slice(0, longestPhone);
  const d = digits.replace(/\D/g, '');
  const plan = /^([17])(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(d);
  if (plan !== null) return plan[1] === '7' ? `+7 ${plan[2]} ${plan[3]}-${plan[4]}-${plan[5]}` : `+1 ${plan[2]} ${plan[3]}-${plan[4]}${plan[5]}`;
  return d.length > 6 ? `+${d}` : plain(digits);
}
