// The files that are chosen to be sent in a chat, until they have gone out. They are
// kept while the page is open, also when another view is shown.
import { effect, signal } from '@preact/signals';
import { left, me } from '../../session';
import { words } from '../../words';
import { newId } from './line';

const say = words.send.files;
export const mostFiles = 20;

export interface Chosen {
  readonly n: number;
  readonly file: File;
  readonly url: string; // of a blob, to preview it; empty: it has no preview
  readonly caption: string;
  readonly error: string; // why it was not sent
  readonly sending: boolean;
  readonly key: string; // makes it safe to send again
}

const previews = /^(image\/(png|jpe?g|gif|webp|avif|bmp)|video\/(mp4|webm|quicktime)|audio\/.*)$/;
let next = 1;

export class Tray {
  readonly files = signal<readonly Chosen[]>([]);
  readonly open = signal(false);
  readonly note = signal(''); // what was not taken, and why

  /** add takes files, the first with a caption if it is the only one so far. */
  add(list: readonly File[], caption = ''): void {
    const room = mostFiles - this.files.peek().length;
    const taken = list.slice(0, room).map((file, i): Chosen => ({
      n: next++, file, url: previews.test(file.type) ? URL.createObjectURL(file) : '', error: '', sending: false, key: newId(),
      caption: i === 0 && this.files.peek().length === 0 ? caption : '',
    }));
    this.note.value = list.length > room ? say.tooMany(mostFiles) : '';
    this.files.value = [...this.files.peek(), ...taken];
    this.open.value = this.files.peek().length > 0;
  }

  /** change replaces fields of a file. With another caption it is another message. */
  change(n: number, fields: Partial<Pick<Chosen, 'caption' | 'error' | 'sending'>>): void {
    this.files.value = this.files.peek().map((f) => (f.n === n ? { ...f, ...fields, key: fields.caption !== undefined && fields.caption !== f.caption ? newId() : f.key } : f));
  }

  remove(n: number): void {
    for (const f of this.files.peek()) if (f.n === n && f.url !== '') URL.revokeObjectURL(f.url);
    this.files.value = this.files.peek().filter((f) => f.n !== n);
    this.note.value = '';
    if (this.files.peek().length === 0) this.open.value = false;
  }

  clear(): void {
    for (const f of this.files.peek()) this.remove(f.n);
  }
}

const trays = new Map<string, Tray>();

/** trayOf is the tray of a draft. */
export function trayOf(key: string): Tray {
  const tray = trays.get(key) ?? new Tray();
  trays.set(key, tray);
  return tray;
}

function forget(): void {
  for (const t of trays.values()) t.clear();
  trays.clear();
}

let owner = 0;
effect(() => {
  const who = me.value?.id ?? owner;
  if (who !== owner) forget();
  owner = who;
});
left.subscribe((times) => times > 0 && forget());

/** filesOf are the files that are dropped or pasted. Folders cannot be sent. */
export function filesOf(data: DataTransfer | null): { files: File[]; folders: boolean } {
  const files: File[] = [];
  let folders = false;
  for (const item of data?.items ?? []) {
    if (item.kind !== 'file') continue;
    if (item.webkitGetAsEntry?.()?.isDirectory) folders = true;
    else {
      const f = item.getAsFile();
      if (f !== null) files.push(f);
    }
  }
  return { files, folders };
}
