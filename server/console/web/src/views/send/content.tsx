// The content of a message. All of it is text of strangers: it is shown as text,
// and an address becomes a link only if it is a web address.
import type { ComponentChildren } from 'preact';
import { local } from '../../base';
import type { Rest } from '../../api';
import { phone, plain } from '../../naming';
import { words } from '../../words';
import { author } from './author';
import { inWords, type Msg } from './messages';

const say = words.send.message;
const pictures = /^image\/(png|jpe?g|gif|webp|avif|bmp)$/;
const sounds = /^audio\//;
const films = /^video\/(mp4|webm|quicktime)$/;
const files = new Set(['image', 'video', 'audio', 'voice', 'sticker', 'document']); // a bridge cannot always get them
const longText = 4000; // characters that are shown at once

export function Body(props: { m: Msg; votes: ReadonlyMap<string, string[]> | undefined }) {
  const { type, subtype, message: c } = props.m;
  const kind = say.subtypes[subtype ?? ''];
  return (
    <>
      {kind !== undefined && type !== 'unknown' && type !== 'call' && <p class="muted small">{kind}</p>}
      {c.file && <File file={c.file} type={type} />}
      {!c.file && files.has(type) && <p class="muted">{say.kinds[type]}. {say.noFile}</p>}
      {c.location && <Place place={c.location} />}
      {(c.contacts ?? (c.contact ? [c.contact] : [])).map((k, i) => <Card key={i} kind={say.contact}><strong>{plain(k.name)}</strong><span>{phone(k.phone)}</span></Card>)}
      {c.poll && (
        <Card kind={c.poll.multiple ? `${say.poll}, ${say.pollMany}` : say.poll}>
          <strong>{c.poll.question}</strong>
          <ul>{c.poll.options.map((o) => <Option key={o} option={o} who={props.votes?.get(o) ?? []} />)}</ul>
        </Card>
      )}
      {c.vote && <p>{say.voted(c.vote.options.map(plain))}</p>}
      {c.reaction && <p>{say.reacted(plain(c.reaction.emoji))}</p>}
      {c.text !== '' && <Text text={c.text} />}
      {c.caption !== '' && <Text text={c.caption} />}
      {unknown(type, c) && <p class="muted">{wordless(type, subtype)}</p>}
    </>
  );
}

/** wordless is the text for a message that has nothing to show. */
function wordless(type: string, subtype: string | null): string {
  if (type === 'call') return say.call[subtype === 'video' ? 'video' : 'audio'];
  if (type !== 'unknown') return say.unknown(plain(type));
  const known = Object.hasOwn(say.unread, subtype ?? '') ? say.unread[subtype!] : undefined;
  return known ?? say.newer(plain(subtype ?? ''));
}

function Option(props: { option: string; who: readonly string[] }) {
  const { option, who } = props;
  return <li>{option}{who.length > 0 && <span class="chip" title={who.join(', ')}>{say.votes(who)}</span>}</li>;
}

function unknown(type: string, c: Rest['Content']): boolean {
  const nothing = c.text === '' && c.caption === '' && !c.file && !c.location && !c.contact && !c.poll && !c.vote && !c.reaction;
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

function File(props: { file: Rest['File']; type: string }) {
  const { link, size, mimeType, state } = props.file;
  const name = plain(props.file.name ?? ''); // "photo<turn>gpj.exe" must not look like a photo
  const url = address(link);
  const here = url !== null && url.origin === location.origin;
  const label = say.file(name || plain(link), size === null ? '' : bytes(size));
  if (state) return <p class="absent" data-file={state}><span>{label}</span><span class="muted small">{say.absent[state] ?? plain(state)}</span></p>;
  if (url === null) return <p>{label}</p>;
  if (here && mimeType !== null && (sounds.test(mimeType) || films.test(mimeType))) {
    const Player = sounds.test(mimeType) ? 'audio' : 'video';
    return (
      <div class="file">
        <Player controls preload="none" src={url.href} aria-label={label} />
        <a class="small" href={url.href} target="_blank" rel="noopener noreferrer" download={name}>{label}</a>
      </div>
    );
  }
  return (
    <a class="file" href={url.href} target="_blank" rel="noopener noreferrer" download={here ? name : undefined}>
      {here && mimeType !== null && pictures.test(mimeType) && <img class={props.type === 'sticker' ? 'sticker' : undefined} src={url.href} alt={say.image(name)} loading="lazy" />}
      <span>{label}</span>
      {!here && <span class="muted small">{say.elsewhere(url.host)}</span>}
    </a>
  );
}

// The server's own attachments. Their links use the server's public address, which
// this page may not use. They are always requested from this server, wherever the
// link points.
const ownFile = /\/v1\/licenses\/\d+\/messengers\/[^/]+\/files\/[^/]+$/;

/** address is a web address to link to, or null if the text is none. */
function address(link: string): URL | null {
  try {
    const url = new URL(link, location.href);
    const path = ownFile.exec(url.pathname)?.[0];
    if (path && url.searchParams.has('signature')) return new URL(local(path) + url.search, location.href);
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
