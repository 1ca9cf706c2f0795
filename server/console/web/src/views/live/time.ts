// Times in the list: to the second in a row, to the millisecond where there is
// room.
const two = (n: number) => String(n).padStart(2, '0');

export function clock(time: number): string {
  const d = new Date(time);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** clockOrDay is the time of today, or else the day. */
export function clockOrDay(time: number): string {
  const d = new Date(time);
  if (d.toDateString() === new Date().toDateString()) return clock(time);
  return d.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

export function exact(time: number): string {
  const d = new Date(time);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(time)}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}
