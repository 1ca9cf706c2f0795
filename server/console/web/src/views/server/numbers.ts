// Figures as text.
import { words } from '../../words';

export function number(n: number): string {
  return n.toLocaleString('en');
}

/** rate has only as many digits as are meaningful. */
export function rate(n: number): string {
  return n.toLocaleString('en', { maximumFractionDigits: n < 10 ? 1 : 0 });
}

/** days is a length of time in the units that people use: 168 hours are 7 days. */
export function days(seconds: number): string {
  const hours = seconds / 3600;
  return hours >= 48 && hours % 24 === 0 ? words.server.days(hours / 24) : words.server.hours(Math.round(hours * 10) / 10);
}
