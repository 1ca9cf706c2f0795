// Times in the list: to the second in a row, to the millisecond where there is
// room.
const two = (n: number) => String(n).padStart(2, '0');

export function clock(time: number): string {
  const d = new Date(time);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function exact(time: number): string {
  const d = new Date(time);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(time)}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}
