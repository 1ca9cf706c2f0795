// One line, which is a messenger of a licence, and the user's rights on it.
import type { Rest } from '../../api';
import { isAdmin, licenses } from '../../session';

export type Chat = Rest['Chat'];

export interface Line {
  licenseId: number;
  messenger: string;
  companyId: number;
  label: string;
  write: boolean;
  admin: boolean; // owner or admin of the company: may pair the line, write as a customer, make tags and levels, and list employees
}

/** lines are the lines that the user may read. */
export function lines(): Line[] {
  return licenses.value.flatMap((l) => l.messenger.map((m) => ({
    licenseId: l.licenseId, messenger: m.type, companyId: l.companyId, write: l.write,
    label: `${m.name || m.type} · ${l.licenseName || l.licenseId}`,
    admin: isAdmin(l.companyId),
  })));
}

/**
 * mayPair says whether this user may pair an account to the line, and log it out. So
 * far only WhatsApp lines can be paired.
 */
export function mayPair(l: Line): boolean {
  return l.admin && l.messenger === 'grWhatsApp';
}

export function sameLine(a: { licenseId: number; messenger: string } | null, b: { licenseId: number; messenger: string } | null): boolean {
  return a?.licenseId === b?.licenseId && a?.messenger === b?.messenger;
}

/** linePath is L of the API reference. */
export function linePath(l: { licenseId: number; messenger: string }): string {
  return `/v1/licenses/${l.licenseId}/messengers/${encodeURIComponent(l.messenger)}`;
}

export function chatPath(l: Line, chatId: string): string {
  return `${linePath(l)}/chats/${encodeURIComponent(chatId)}`;
}

/**
 * newId is an id for a request that may be sent twice but must count once. Pages
 * without https have no randomUUID.
 */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, '0')).join('');
}
