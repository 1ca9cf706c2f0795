// The place to write: as the operator, who answers, or as the customer.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { chatName } from '../../naming';
import { CloseIcon } from '../../ui/icons';
import { words } from '../../words';
import { Attach, LinkSheet } from './attach';
import { author } from './author';
import { quoteOf } from './content';
import { account, whyNoInbound } from './linestate';
import { OutcomeLine } from './outcome';
import { Sending } from './sending';
import type { Talk } from './talk';

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
  const name = chat === null ? talk.chatId : chatName(chat) ?? chat.id;
  return (
    <footer class={customer ? 'composer customer' : 'composer'}>
      <OutcomeLine deed={idle && firstContact.chatId === talk.chatId ? firstContact.deed : talk.deed} />
      {status !== null && account(talk.state) && !status.connected && (
        <p class="note warn small" data-test="line-down">{status.detail} {waits.has(status.state) ? words.send.stand.waits : words.send.stand.down}</p>
      )}
      {why === '' ? <Mode talk={talk} customer={customer} /> : <p class="muted small">{why}</p>}
      {customer && <p class="note warn small" data-test="sandbox">{say.sandbox}</p>}
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
  const { drafts } = talk.state;
  const draft = `${talk.chatId} ${customer ? 'customer' : 'operator'}`;
  const [text, setText] = useState(drafts.get(draft) ?? '');
  const sending = useMemo(() => new Sending(talk, customer), []);
  const [linking, setLinking] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const editing = talk.editing.value;
  const reply = talk.reply.value;

  const write = (t: string) => {
    setText(t);
    if (talk.editing.peek() === null) drafts.set(draft, t);
  };
  // What was typed while it went out stays.
  const clear = () => area.current?.value === text && write('');
  useLayoutEffect(() => {
    if (editing !== null) setText(editing.message.text || editing.message.caption);
    else setText(drafts.get(draft) ?? '');
    if (editing !== null || reply !== null) area.current?.focus();
  }, [editing, reply]);

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

  const label = customer ? say.customerText(name) : say.operatorText(name);
  const more = { talk, sending, customer, caption: text, onSent: clear };
  return (
    <>
      <form class="writing" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
        {editing === null && <Attach {...more} onLink={() => { talk.deed.clear(); setLinking(true); }} />}
        <textarea
          ref={area} class="input" rows={1} aria-label={label} placeholder={customer ? say.asCustomer : say.asOperator} title={say.hint} value={text} maxLength={65536}
          data-test="composer" enterkeyhint="send" onInput={(e) => write(e.currentTarget.value)} onKeyDown={key}
        />
        <button class="button primary" disabled={text.trim() === ''} aria-busy={talk.deed.busy}>{editing !== null ? say.save : say.send}</button>
      </form>
      {linking && <LinkSheet {...more} onClose={() => setLinking(false)} />}
    </>
  );
}
