// Times of messages, for people. All are unix seconds.
import { words } from '../../words';

const say = words.send.conversation;

const midnight = (t: Date) => new Date(t.getFullYear(), t.getMonth(), t.getDate()).getTime();

export const clock = (time: number) => new Date(time * 1000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

export const full = (time: number) => new Date(time * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const dayAndTime = (time: number) => `${dayKey(time) === midnight(new Date()) ? '' : `${day(time)}, `}${clock(time)}`;

/** dayKey is the same for all times of one day. */
export const dayKey = (time: number) => midnight(new Date(time * 1000));

export function day(time: number): string {
  const days = Math.round((midnight(new Date()) - dayKey(time)) / 86_400_000);
  if (days === 0) return say.today;
  if (days === 1) return say.yesterday;
  if (days === -1) return say.tomorrow; // the end of a 24-hour window
  const date = new Date(time * 1000);
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' as const };
  return date.toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long', ...year });
}

/** dayOrTime is short: the time if it is today, else the day. */
export function dayOrTime(time: number): string {
  if (time === 0) return '';
  const date = new Date(time * 1000);
  if (dayKey(time) === midnight(new Date())) return clock(time);
  return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}
