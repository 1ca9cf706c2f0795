// How people and chats are called: rules without state.

/** Names is what a summary asks; null: not known. */
export interface Names {
  /** The user is the one who looks. */
  isMe(id: number): boolean;
  user(id: number): string | null;
  chat(licenseId: number, messenger: string, chatId: string): string | null;
}

/** chatName is what people call the chat: its name, else its phone. */
export function chatName(chat: { name?: unknown; phone?: unknown; username?: unknown }): string | null {
  if (typeof chat.name === 'string' && chat.name.trim() !== '') return chat.name;
  if (typeof chat.phone === 'string' && chat.phone !== '') return phone(chat.phone);
  return typeof chat.username === 'string' && chat.username !== '' ? `@${chat.username}` : null;
}

/** phone is a number in groups: "+7 999 000-11-22" where the plan is known, else "+44 7700900123". */
export function phone(digits: string): string {
  const d = digits.replace(/\D/g, '');
  const plan = /^([17])(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(d);
  if (plan !== null) return plan[1] === '7' ? `+7 ${plan[2]} ${plan[3]}-${plan[4]}-${plan[5]}` : `+1 ${plan[2]} ${plan[3]}-${plan[4]}${plan[5]}`;
  return d.length > 6 ? `+${d}` : digits;
}
