// One line, which is a messenger of a licence, and what this user may do on it.
import type { Rest } from '../../api';
import { licenses, me } from '../../session';

export type Chat = Rest['Chat'];

export interface Line {
  licenseId: number;
  messenger: string;
  companyId: number;
  label: string;
  write: boolean;
  admin: boolean; // owner or admin of the company: may make tags and levels, and list employees
  onlyMine: boolean; // sees only their own chats and those of no one, so may not write as a customer
}

/** lines are the lines that the user may read. */
export function lines(): Line[] {
  const companies = new Map((me.value?.companies ?? []).map((c) => [c.id, c]));
  return licenses.value.flatMap((l) => l.messenger.map((m) => {
    const company = companies.get(l.companyId);
    return {
      licenseId: l.licenseId, messenger: m.type, companyId: l.companyId, write: l.write,
      label: `${m.name || m.type} · ${l.licenseName || l.licenseId}`,
      admin: company?.role === 'owner' || company?.role === 'admin',
      onlyMine: company?.onlyMine ?? false,
    };
  }));
}

/** mayPair says that this user may pair an account to the line: WhatsApp's are the only ones so far. */
export function mayPair(l: Line): boolean {
  return l.write && l.messenger === 'grWhatsApp';
}

export function sameLine(a: { licenseId: number; messenger: string } | null, b: { licenseId: number; messenger: string } | null): boolean {
  return a?.licenseId === b?.licenseId && a?.messenger === b?.messenger;
}

/** linePath is L of the reference. */
export function linePath(l: { licenseId: number; messenger: string }): string {
  return `/v1/licenses/${l.licenseId}/messengers/${encodeURIComponent(l.messenger)}`;
}

export function chatPath(l: Line, chatId: string): string {
  return `${linePath(l)}/chats/${encodeURIComponent(chatId)}`;
}

/** newId is for what may be sent twice and is to count once. Pages without https have no randomUUID. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, '0')).join('');
}
