// Events about a line itself. The functions keep no state. An event need not have
// its declared type: one that does not is skipped.
import type { MessengerStatus, Qr } from '@chatcast/events';
import type { Rest } from '../../api';

export type Status = Rest['LineStatus'];

/** LineEvent is an event about a line itself, and not about one of its chats. */
export type LineEvent = { name: 'messengerStatus'; item: MessengerStatus } | { name: 'qr'; item: Qr };

/**
 * isAccount says whether an account was paired with the line. Until then the line may
 * become a bridge, or is one.
 */
export function isAccount(s: Status): boolean {
  return s.via !== 'bridge' && s.via !== 'none' && !((s.state === 'pairing' || s.state === 'passkey') && s.phone === null);
}

/** isStep says whether a value is a passkey step, or null. */
function isStep(v: unknown): boolean {
  if (v === null) return true;
  const step = v as { options?: unknown; origin?: unknown; code?: unknown } | undefined;
  return typeof step === 'object' && typeof step.options === 'object' && typeof step.origin === 'string' && (step.code === null || typeof step.code === 'string');
}

/** riskOf is what endangers the line's account; undefined: nothing does, or there is none. */
export function riskOf(s: Status): { rating: 'careful' | 'stop'; reasons: Status['ratingReasons'] } | undefined {
  if (!isAccount(s) || s.state === 'logged_out' || s.rating === null || s.rating === 'ok') return undefined;
  return { rating: s.rating, reasons: s.ratingReasons };
}

/** restrictedUntil is until when the account may not write to new people, in unix seconds; undefined: it may. */
export function restrictedUntil(s: Status, now = Date.now() / 1000): number | undefined {
  return s.restrictedUntil !== null && s.restrictedUntil > now ? s.restrictedUntil : undefined;
}

/**
 * aboutLine is an event about the line; undefined: it is about something else, or
 * does not have its declared shape.
 */
export function aboutLine(at: { licenseId: number; messenger: string }, event: string, data: unknown): LineEvent | undefined {
  if (event !== 'messengerStatus' && event !== 'qr') return undefined;
  const p = (data as { payload?: { data?: unknown; meta?: { licenseId?: unknown; messengerType?: unknown } } } | null)?.payload;
  if (!Array.isArray(p?.data) || p.meta?.licenseId !== at.licenseId || p.meta.messengerType !== at.messenger) return undefined;
  const item = p.data[0] as Record<string, unknown> | null;
  if (typeof item !== 'object' || item === null) return undefined;
  const text = (v: unknown) => v === null || typeof v === 'string';
  if (event === 'qr' && text(item.qr) && text(item.code) && typeof item.expiresAt === 'number' && isStep(item.passkey)) return { name: 'qr', item: item as unknown as Qr };
  if (event === 'messengerStatus' && typeof item.state === 'string' && typeof item.detail === 'string' && text(item.phone)) {
    return { name: 'messengerStatus', item: item as unknown as MessengerStatus };
  }
  return undefined;
}
