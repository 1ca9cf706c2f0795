// Numbers with their nouns.

/** many is a number with its noun: "1 event", "3 events". */
export function many(n: number, one: string, more: string): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : more}`;
}

/** span is a length of time in words, from seconds. */
export function span(seconds: number): string {
  if (seconds < 1) return 'less than a second';
  if (seconds < 90) return many(Math.round(seconds), 'second', 'seconds');
  if (seconds < 90 * 60) return many(Math.round(seconds / 60), 'minute', 'minutes');
  return many(Math.round(seconds / 3600), 'hour', 'hours');
}
