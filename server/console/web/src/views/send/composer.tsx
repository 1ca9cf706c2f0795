// The place to write: as the operator, who answers, or as the customer.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { draftKey, draftsVersion, draftText, setDraft } from '../../drafts';
import { chatName } from '../../naming';
import { CloseIcon } from '../../ui/icons';
import { words } from '../../words';
import { Attach, LinkSheet } from './attach';
import { author } from './author';
import { quoteOf } from './content';
import { FileSheet } from './filesheet';
import { account, whyNoInbound } from './linestate';
import { OutcomeLine } from './outcome';
import { PlaceSheet } from './placesheet';
import { Sending } from './sending';
import type { Status } from './stand';
import type { Talk } from './talk';
import type { Tray } from './tray';

const say = words.send.composer;
const waits = new Set(['connecting', 'disconnected']); // the line comes back by itself

export function Composer(props: { talk: Talk }) {
  const { talk } = props;
  const { line, chats, firstContact } = talk.state;
  const idle = talk.deed.outcome.value.phase === 'idle';
  const status = talk.state.status.value;
  const why = whyNoInbound(talk.state);
  const chat = chats.open.value.chat;
  const customer = talk.as.value === 'customer' && why === '';
  if (!line.write) return <footer class="composer"><p class="note small">{words.send.readOnly}</p></footer>;
  if (chat?.type === 'channel') return <footer class="composer"><p class="note small" data-test="channel">{words.send.channel}</p></footer>;
  const name = chat === null ? talk.chatId : chatName(chat) ?? chat.id;
  return (
    <footer class={customer ? 'composer customer' : 'composer'}>
      <OutcomeLine deed={idle && firstContact.chatId === talk.chatId ? firstContact.deed : talk.deed} />
      {status !== null && (account(talk.state) || status.state === 'not_set_up') && !status.connected && (
        <p class="note warn small" data-test="line-down">{downText(status)}</p>
      )}
      {why === '' ? <Mode talk={talk} customer={customer} /> : <p class="muted small">{why}</p>}
      {customer && <p class="note warn small" data-test="sandbox">{say.sandbox}</p>}
      <About talk={talk} />
      <Writing key={customer ? 'customer' : 'operator'} talk={talk} customer={customer} name={name} />
    </footer>
  );
}

function downText(s: Status): string {
  if (s.state === 'not_set_up') return words.send.stand.notSetUp;
  return `${s.detail} ${waits.has(s.state) ? words.send.stand.waits : words.send.stand.down}`;
}

function Mode(props: { talk: Talk; customer: boolean }) {
  const { talk, customer } = props;
  return (
    <div class="segments" role="group" aria-label={say.mode}>
      {(['operator', 'customer'] as const).map((m) => (
        <button
          key={m} class="segment" aria-pressed={(m === 'customer') === customer} data-mode={m}
          onClick={() => { talk.as.value = m; talk.editing.value = null; }}
        >{say[m]}</button>
      ))}
    </div>
  );
}

/** About is the message that is answered or edited. */
function About(props: { talk: Talk }) {
  const { reply, editing } = props.talk;
  const m = editing.value ?? reply.value;
  if (m === null) return null;
  return (
    <div class="about">
      <div><p class="small muted">{editing.value ? say.editing : say.replyTo(author(m))}</p>{quoteOf(m)}</div>
      <button class="button quiet icon small" aria-label={say.cancel} onClick={() => { reply.value = null; editing.value = null; }}><CloseIcon /></button>
    </div>
  );
}

function Writing(props: { talk: Talk; customer: boolean; name: string }) {
  const { talk, customer, name } = props;
  const draft = draftKey(talk.state.line, talk.chatId, customer ? 'customer' : 'operator');
  const [text, setText] = useState(() => draftText(draft));
  const sending = useMemo(() => new Sending(talk, customer, draft), []);
  const [sheet, setSheet] = useState<'' | 'link' | 'place'>('');
  const area = useRef<HTMLTextAreaElement>(null);
  const editing = talk.editing.value;
  const reply = talk.reply.value;
  const { tray } = talk;

  const write = (t: string) => {
    setText(t);
    if (talk.editing.peek() === null) setDraft(draft, t);
  };
  // What was typed while it went out stays. The chat may have been left meanwhile.
  const clear = () => draftText(draft) === text && setDraft(draft, '');
  useLayoutEffect(() => {
    if (editing !== null) setText(editing.message.text || editing.message.caption);
    else setText(draftText(draft));
    if (editing !== null || reply !== null) area.current?.focus();
  }, [editing, reply]);
  const drafts = draftsVersion.value; // a draft that went out is over, in whichever view it was sent
  useEffect(() => {
    if (editing === null) setText(draftText(draft));
  }, [drafts]);

  async function submit() {
    if (talk.deed.busy || text.trim() === '') return;
    const edited = editing !== null;
    if ((await sending.text(text)) && !edited) clear();
  }
  function key(e: KeyboardEvent) {
    if (e.key === 'Escape' && (editing !== null || reply !== null)) {
      e.stopPropagation();
      talk.editing.value = null;
      talk.reply.value = null;
    }
    if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    void submit();
  }
  const open = (which: 'link' | 'place') => {
    if (talk.deed.busy) return;
    talk.deed.clear();
    setSheet(which);
  };
  const captioned = (caption: string) => {
    if (caption !== '' && caption.trim() === draftText(draft).trim()) setDraft(draft, ''); // the draft went out as the caption
  };

  const label = customer ? say.customerText(name) : say.operatorText(name);
  return (
    <>
      {!customer && tray.files.value.length > 0 && !tray.open.value && <Waiting tray={tray} />}
      <form class="writing" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
        {editing === null && (
          <Attach customer={customer} onFiles={(files) => tray.add(files, text)} onLink={() => open('link')} onPlace={() => open('place')} />
        )}
        <textarea
          ref={area} class="input" rows={1} aria-label={label} placeholder={customer ? say.asCustomer : say.asOperator} title={say.hint} value={text} maxLength={65536}
          data-test="composer" enterkeyhint="send" onInput={(e) => write(e.currentTarget.value)} onKeyDown={key}
        />
        <button class="button primary" disabled={text.trim() === ''} aria-busy={talk.deed.busy}>{editing !== null ? say.save : say.send}</button>
      </form>
      {sheet === 'link' && <LinkSheet talk={talk} sending={sending} caption={text} onSent={clear} onClose={() => setSheet('')} />}
      {sheet === 'place' && <PlaceSheet talk={talk} sending={sending} name={name} onClose={() => setSheet('')} />}
      {!customer && tray.open.value && <FileSheet tray={tray} sending={sending} name={name} onCaption={captioned} />}
    </>
  );
}

/** Waiting leads back to files that were chosen and did not go out. */
function Waiting(props: { tray: Tray }) {
  const { tray } = props;
  return (
    <p class="row small" data-test="waiting-files">
      <span>{words.send.files.waiting(tray.files.value.length)}</span>
      <button class="button small" onClick={() => (tray.open.value = true)}>{words.send.files.show}</button>
      <button class="button small quiet" onClick={() => tray.clear()}>{words.send.files.discard}</button>
    </p>
  );
}
