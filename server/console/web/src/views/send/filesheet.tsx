// The files that are about to be sent: a preview of each, and its caption.
import { useRef, useState } from 'preact/hooks';
import { plain } from '../../naming';
import { CloseIcon, FileIcon } from '../../ui/icons';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { FileInput } from './attach';
import { bytes } from './content';
import type { Sending } from './sending';
import type { Chosen, Tray } from './tray';

const say = words.send.files;

interface Props {
  tray: Tray;
  sending: Sending;
  name: string; // of the chat
  onCaption: (caption: string) => void; // of a file that went out
}

export function FileSheet(props: Props) {
  const { tray, sending, name } = props;
  const [busy, setBusy] = useState(false);
  const more = useRef<HTMLInputElement>(null);
  const files = tray.files.value;

  // One after the other, so that they arrive in this order. A failure stops the rest.
  async function send() {
    if (busy) return;
    setBusy(true);
    for (const { n } of tray.files.peek()) {
      const f = tray.files.peek().find((f) => f.n === n);
      if (f === undefined) continue; // removed meanwhile
      tray.change(n, { sending: true, error: '' });
      const error = await sending.file(f.file, f.caption, f.key);
      tray.change(n, { sending: false, error });
      if (error !== '') break;
      props.onCaption(f.caption);
      tray.remove(n);
    }
    setBusy(false);
  }

  return (
    <Sheet title={say.title(files.length, name)} onClose={() => (tray.open.value = false)}>
      <form class="files" onSubmit={(e) => { e.preventDefault(); void send(); }}>
        <ul class="plain">
          {files.map((f, i) => <FileRow key={f.n} f={f} first={i === 0} busy={busy} tray={tray} />)}
        </ul>
        {tray.note.value !== '' && <p class="note warn small" role="status">{tray.note.value}</p>}
        <div class="row">
          <button class="button primary" aria-busy={busy} disabled={files.length === 0}>{busy ? say.busy : files.some((f) => f.error !== '') ? say.again : say.send(files.length)}</button>
          <FileInput input={more} onFiles={(list) => tray.add(list)} />
          <button class="button" type="button" disabled={busy} onClick={() => more.current?.click()}>{say.more}</button>
          <span class="space" />
          <button class="button quiet" type="button" disabled={busy} onClick={() => tray.clear()}>{say.discard}</button>
        </div>
      </form>
    </Sheet>
  );
}

function FileRow(props: { f: Chosen; first: boolean; busy: boolean; tray: Tray }) {
  const { f, busy, tray } = props;
  const name = plain(f.file.name);
  return (
    <li class="chosen" data-file={name}>
      <Preview f={f} name={name} />
      <div class="what">
        <p class="name">{name}</p>
        <p class="muted small">{f.sending ? say.sending(bytes(f.file.size)) : bytes(f.file.size)}</p>
      </div>
      <button type="button" class="button quiet icon small" aria-label={say.remove(name)} title={say.remove(name)} disabled={busy} onClick={() => tray.remove(f.n)}><CloseIcon /></button>
      <input
        class="input" aria-label={say.captionOf(name)} placeholder={say.caption} value={f.caption} maxLength={4096} autocomplete="off" disabled={f.sending}
        autofocus={props.first} ref={props.first ? focus : undefined} onInput={(e) => tray.change(f.n, { caption: e.currentTarget.value })}
      />
      {f.error !== '' && <p class="error-text" role="alert">{f.error}</p>}
    </li>
  );
}

/** Preview shows the file, if browsers can: one that is broken, or of another kind, gets a sign. */
function Preview(props: { f: Chosen; name: string }) {
  const { f, name } = props;
  const [broken, setBroken] = useState(false);
  const kind = f.file.type.split('/')[0];
  if (f.url === '' || broken) return <span class="sign" aria-hidden="true"><FileIcon /></span>;
  if (kind === 'image') return <img src={f.url} alt={say.preview(name)} onError={() => setBroken(true)} />;
  if (kind === 'video') return <video src={f.url} controls preload="metadata" aria-label={say.preview(name)} onError={() => setBroken(true)} />;
  return <audio src={f.url} controls preload="metadata" aria-label={say.preview(name)} onError={() => setBroken(true)} />;
}

let focused: HTMLInputElement | null = null;

/** focus puts the focus into the first caption once, when it appears in a sheet that is open already. */
function focus(e: HTMLInputElement | null): void {
  if (e !== null && e !== focused && (focused === null || !focused.isConnected)) e.focus();
  if (e !== null) focused = e;
}
