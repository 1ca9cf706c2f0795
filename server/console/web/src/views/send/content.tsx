// What a message says. All of it is text of strangers: it becomes text, and an
// address becomes a link only when it is one of the web's.
import type { ComponentChildren } from 'preact';
import type { Rest } from '../../api';
import { phone, plain } from '../../naming';
import { words } from '../../words';
import { author } from './bubble';
import { inWords, type Msg } from './messages';

const say = words.send.message;
const pictures = /^image\/(png|jpe?g|gif|webp|avif|bmp)$/;
const files = new Set(['image', 'video', 'audio', 'document']); // a bridge cannot always get them
const longText = 4000; // characters that are shown at once

export function Body(props: { m: Msg }) {
  const { type, message: c } = props.m;
  return (
    <>
      {c.file && <File file={c.file} />}
      {!c.file && files.has(type) && <p class="muted">{say.kinds[type]}. {say.noFile}</p>}
      {c.location && <Place place={c.location} />}
      {c.contact && <Card kind={say.contact}><strong>{plain(c.contact.name)}</strong><span>{phone(c.contact.phone)}</span></Card>}
      {c.poll && (
        <Card kind={c.poll.multiple ? `${say.poll}, ${say.pollMany}` : say.poll}>
          <strong>{c.poll.question}</strong>
          <ul>{c.poll.options.map((o) => <li key={o}>{o}</li>)}</ul>
        </Card>
      )}
      {c.reaction && <p>{say.reacted(plain(c.reaction.emoji))}</p>}
      {c.text !== '' && <Text text={c.text} />}
      {c.caption !== '' && <Text text={c.caption} />}
      {unknown(type, c) && <p class="muted">{say.unknown(plain(type))}</p>}
    </>
  );
}

function unknown(type: string, c: Rest['Content']): boolean {
  const nothing = c.text === '' && c.caption === '' && !c.file && !c.location && !c.contact && !c.poll && !c.reaction;
  return nothing && !files.has(type);
}

function Text(props: { text: string }) {
  const { text } = props;
  if (text.length <= longText) return <p class="said">{text}</p>;
  return <details class="said"><summary>{text.slice(0, longText)}… <span class="more">{words.tree.all(text.length)}</span></summary>{text.slice(longText)}</details>;
}

function Card(props: { kind: string; children: ComponentChildren }) {
  return <div class="contentcard"><span class="muted small">{props.kind}</span>{props.children}</div>;
}

function Place(props: { place: Rest['Location'] }) {
  const { latitude, longitude, name, address } = props.place;
  return (
    <Card kind={say.location}>
      {name !== '' && <strong>{name}</strong>}
      {address !== '' && <span>{address}</span>}
      <span class="mono">{say.map(latitude, longitude)}</span>
    </Card>
  );
}

function File(props: { file: Rest['File'] }) {
  const { link, size, mimeType } = props.file;
  const name = plain(props.file.name ?? ''); // "photo<turn>gpj.exe" is no photo
  const url = address(link);
  const here = url !== null && url.origin === location.origin;
  const label = say.file(name || plain(link), size === null ? '' : bytes(size));
  if (url === null) return <p>{label}</p>;
  return (
    <a class="file" href={url.href} target="_blank" rel="noopener noreferrer" download={here ? name : undefined}>
      {here && mimeType !== null && pictures.test(mimeType) && <img src={url.href} alt={say.image(name)} loading="lazy" />}
      <span>{label}</span>
      {!here && <span class="muted small">{say.elsewhere(url.host)}</span>}
    </a>
  );
}

// The server's own attachments: their links name it as the world reaches it, which
// need not be how this page does. Wherever else such a link may point, it is asked here.
const ownFile = /^\/v1\/licenses\/\d+\/messengers\/[^/]+\/files\/[^/]+$/;

/** address is a link of the web; null: it is none, and is not to be followed. */
function address(link: string): URL | null {
  try {
    const url = new URL(link, location.href);
    if (ownFile.test(url.pathname) && url.searchParams.has('signature')) return new URL(url.pathname + url.search, location.href);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}

export function bytes(n: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${i === 0 || n >= 10 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

export function Quote(props: { quoted: NonNullable<Msg['quotedMessage']> }) {
  const q = props.quoted;
  return (
    <blockquote class="quote">
      {q.message === null || q.type === null ? <span class="muted">{say.quoted}</span> : (
        <><strong>{plain(q.fromUser?.name ?? '') || (q.side === 'out' ? say.us : say.customer)}</strong><span>{inWords(q.type, q.message).slice(0, 200)}</span></>
      )}
    </blockquote>
  );
}

export function quoteOf(m: Msg) {
  return <blockquote class="quote"><strong>{author(m)}</strong><span>{inWords(m.type, m.message).slice(0, 200)}</span></blockquote>;
}
