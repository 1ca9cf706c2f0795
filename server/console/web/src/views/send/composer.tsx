// The place to write: as the operator, who answers, or as the customer.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Fault } from '../../api';
import { chatName } from '../../naming';
import { ClipIcon, CloseIcon, PlaceIcon } from '../../ui/icons';
import { words } from '../../words';
import { author } from './bubble';
import { bring, edit, send, type Brought } from './compose';
import { bytes, quoteOf } from './content';
import { customerOf } from './customer';
import { whyNotBring } from './index';
import { newId } from './line';
import { OutcomeLine } from './outcome';
import type { Talk } from './talk';

const say = words.send.composer;

export function Composer(props: { talk: Talk }) {
  const { talk } = props;
  const { line, chats, newcomer } = talk.state;
  const idle = talk.deed.outcome.value.phase === 'idle';
  const status = talk.state.status.value;
  const why = whyNotBring(talk.state);
  const chat = chats.open.value.chat;
  const customer = talk.as.value === 'customer' && why === '';
  if (!line.write) return <footer class="composer"><p class="note small">{words.send.readOnly}</p></footer>;
  const name = chat === null ? talk.chatId : chatName(chat) ?? chat.id;
  return (
    <footer class={customer ? 'composer customer' : 'composer'}>
      <OutcomeLine deed={idle && newcomer.chatId === talk.chatId ? newcomer.deed : talk.deed} />
      {status !== null && !status.connected && <p class="note warn small">{words.send.down(status.detail)}</p>}
      {why === '' ? <Mode talk={talk} customer={customer} /> : <p class="muted small">{why}</p>}
      <About talk={talk} />
      <Writing key={customer ? 'customer' : 'operator'} talk={talk} customer={customer} name={name} />
    </footer>
  );
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
  const { line, drafts } = talk.state;
  const place = `${talk.chatId} ${customer ? 'customer' : 'operator'}`;
  const [text, setText] = useState(drafts.get(place) ?? '');
  const area = useRef<HTMLTextAreaElement>(null);
  const attempt = useRef({ what: '', key: '' });
  const file = useRef<HTMLInputElement>(null);
  const editing = talk.editing.value;
  const reply = talk.reply.value;

  const write = (t: string) => {
    setText(t);
    if (talk.editing.peek() === null) drafts.set(place, t);
  };
  useLayoutEffect(() => {
    if (editing !== null) setText(editing.message.text || editing.message.caption);
    else setText(drafts.get(place) ?? '');
    if (editing !== null || reply !== null) area.current?.focus();
  }, [editing, reply]);

  // The same content that is tried again keeps its key, so that it counts once
  // even when only the answer was lost.
  function keyFor(what: string): string {
    if (attempt.current.what !== what) attempt.current = { what, key: newId() };
    return attempt.current.key;
  }
  function finished(id: string | number) {
    attempt.current = { what: '', key: '' };
    talk.reply.value = null;
    talk.toEnd.value++;
    talk.history.expect(String(id));
  }

  async function submit() {
    if (talk.deed.busy || text.trim() === '') return;
    if (editing !== null) {
      const answer = await edit(talk.deed, line, talk.chatId, editing, text);
      if (answer === undefined) return;
      talk.history.saw(answer);
      talk.editing.value = null;
      return;
    }
    const quoted = reply === null ? {} : { quotedMessageId: reply.id };
    const what = JSON.stringify([text, quoted]);
    if (customer) return byCustomer('text', { text }, what);
    const sent = await send(talk.deed, line, talk.chatId, { kind: 'text', body: { text, ...quoted }, key: keyFor(what) });
    if (sent === undefined) return;
    write('');
    finished(sent.id);
  }

  async function byCustomer(type: string, message: Brought['message'], what: string) {
    const quoted = reply === null ? {} : { quotedMessageId: reply.id };
    const id = keyFor(what);
    if ((await bring(talk.deed, line, { id, ...customerOf(talk), type, message, ...quoted })) === undefined) return;
    if (type === 'text') write('');
    finished(id);
  }

  async function sendPlace() {
    if (talk.deed.busy) return;
    const what = `place ${reply?.id}`;
    if (customer) return byCustomer('location', { location: { ...say.placeOf } }, what);
    const quoted = reply === null ? {} : { quotedMessageId: reply.id };
    const sent = await send(talk.deed, line, talk.chatId, { kind: 'location', body: { ...say.placeOf, ...quoted }, key: keyFor(what) });
    if (sent !== undefined) finished(sent.id);
  }

  async function attach(f: File | undefined) {
    if (f === undefined || talk.deed.busy) return;
    const form = new FormData();
    form.set('caption', text);
    if (reply !== null) form.set('quotedMessageId', String(reply.id));
    form.set('file', f);
    const sent = await send(talk.deed, line, talk.chatId, { kind: 'file', body: form, key: keyFor(`file ${f.name} ${f.size} ${f.lastModified} ${text} ${reply?.id}`) });
    if (file.current) file.current.value = '';
    if (sent !== undefined) {
      write('');
      finished(sent.id);
    } else if (talk.deed.cause instanceof Fault && talk.deed.cause.status === 0) talk.deed.failed(say.broken(bytes(f.size)));
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

  const label = customer ? say.customerText(name) : say.operatorText(name);
  return (
    <form class="writing" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
      {editing === null && !customer && (
        <>
          <input ref={file} type="file" class="visually-hidden" tabIndex={-1} aria-hidden="true" data-test="file" onChange={(e) => void attach(e.currentTarget.files?.[0])} />
          <button type="button" class="button quiet icon" aria-label={say.attach} title={say.attach} onClick={() => file.current?.click()}><ClipIcon /></button>
        </>
      )}
      {editing === null && <button type="button" class="button quiet icon" aria-label={say.place} title={say.place} onClick={() => void sendPlace()}><PlaceIcon /></button>}
      <textarea
        ref={area} class="input" rows={1} aria-label={label} placeholder={customer ? say.asCustomer : say.asOperator} title={say.hint} value={text} maxLength={65536} data-test="composer"
        enterkeyhint="send" onInput={(e) => write(e.currentTarget.value)} onKeyDown={key}
      />
      <button class="button primary" disabled={text.trim() === ''} aria-busy={talk.deed.busy}>{editing !== null ? say.save : say.send}</button>
    </form>
  );
}
