// The scroll position of the list. It either follows the newest event, or stays at
// the row at the top, whatever is added after it or dropped before it.
import { indexAfter, type Row } from './rows';

export class Place {
  follow = true;
  seen = 0; // the number of the newest row when the list stopped following

  private n = 0; // the number of the top row
  private offset = 0; // how many pixels of it are out of sight

  /** top is the scroll position of this place for these rows. */
  top(rows: readonly Row[], rowHeight: number, height: number): number {
    const most = Math.max(0, rows.length * rowHeight - height);
    return this.follow ? most : Math.min(most, indexAfter(rows, this.n - 1) * rowHeight + this.offset);
  }

  /** scrolled notes that the list is now scrolled to top. */
  scrolled(rows: readonly Row[], rowHeight: number, height: number, top: number): void {
    const bottom = top + height >= rows.length * rowHeight - 2;
    if (!bottom && this.follow) this.seen = rows.at(-1)?.n ?? 0;
    this.follow = bottom;
    const first = Math.floor(top / rowHeight);
    this.n = rows[first]?.n ?? 0;
    this.offset = top - first * rowHeight;
  }

  /**
   * show scrolls just far enough to show row n. The newest row makes the list
   * follow, any other makes it stay.
   */
  show(rows: readonly Row[], rowHeight: number, height: number, n: number): void {
    const i = indexAfter(rows, n - 1);
    if (rows[i]?.n !== n) return;
    const top = this.top(rows, rowHeight, height);
    const to = Math.max(Math.min(top, i * rowHeight), (i + 1) * rowHeight - height);
    this.scrolled(rows, rowHeight, height, Math.max(0, to));
  }
}
