// The second column: the messages, and the place to answer.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isWhole } from '../../catchup';
import { catchUp } from '../../socket';
import { chatName, phone } from '../../naming';
import { path } from '../../route';
import { BackIcon, DownIcon, FactsIcon } from '../../ui/icons';
import { words } from '../../words';
import { Bubble } from './bubble';
import { Face } from './chatlist';
import { Composer } from './composer';
import { useDrop } from './drop';
import type { LineState } from './linestate';
import { idOf, reactions, shown, votes, type Reaction } from './messages';
import { Reading } from './reading';
import { Talk } from './talk';
import { day, dayKey } from './time';

const say = words.send;
const near = 48; // pixels from the end that still count as the end

export function ConversationPane(props: { state: LineState; chatId: string }) {
  const { state, chatId } = props;
  const talk = useMemo(() => new Talk(state, chatId), []);
  const drop = useDrop(talk);
  useEffect(() => {
    const reading = new Reading(talk);
    talk.seen = () => void reading.look();
    return () => {
      reading.close();
      talk.close();
    };
  }, []);
  useEffect(() => catchUp.progress.subscribe((p) => {
    if (!isWhole(p)) void talk.history.readNewest();
  }), []);
  const { chat, error } = state.chats.open.value;
  if (chat === null && error !== '') {
    return (
      <section class="conversation">
        <div class="empty" role="alert">
          <p>{error}</p>
          <a class="button" href={path('send', state.line.licenseId, state.line.messenger)}>{say.back}</a>
        </div>
      </section>
    );
  }
  return (
    <section class="conversation" aria-label={say.conversation.messages} {...drop.handlers}>
      <Head state={state} chatId={chatId} />
      <Messages talk={talk} />
      <Composer talk={talk} />
      {drop.over && <p class="dropping" aria-hidden="true"><span>{say.files.drop(chat === null ? chatId : chatName(chat) ?? chat.id)}</span></p>}
    </section>
  );
}

function Head(props: { state: LineState; chatId: string }) {
  const { line, chats } = props.state;
  const chat = chats.open.value.chat;
  const name = chat === null ? props.chatId : chatName(chat) ?? chat.id;
  const number = chat?.phone ? phone(chat.phone) : '';
  return (
    <header class="head">
      <a class="button quiet icon to-chats" href={path('send', line.licenseId, line.messenger)} aria-label={say.back}><BackIcon /></a>
      {chat !== null && <Face chat={chat} />}
      <div class="title">
        <h2>{name}</h2>
        <p class="muted small">{number !== name ? number : ''} {chat?.status === 'close' && <span class="chip">{say.closed}</span>}</p>
      </div>
      <a class="button quiet icon to-facts" href={path('send', line.licenseId, line.messenger, props.chatId, 'facts')} aria-label={say.facts} title={say.facts}><FactsIcon /></a>
    </header>
  );
}

function Messages(props: { talk: Talk }) {
  const { history } = props.talk;
  const scroller = useRef<HTMLDivElement>(null);
  const [unseen, setUnseen] = useState(0);
  const list = history.messages.value;
  const items = useMemo(() => shown(list), [list]);
  const reacted = useMemo(() => reactions(list), [list]);
  const voted = useMemo(() => votes(list), [list]);
  const size = useRef('');
  const before = useRef({ first: '', last: '', height: 0, count: 0 });

  // A reader at the end stays there; one who has scrolled up stays where they are.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const first = items[0] ? idOf(items[0]) : '';
    const last = items.length > 0 ? idOf(items[items.length - 1]!) : '';
    const was = before.current;
    if (history.atEnd) box.scrollTop = box.scrollHeight;
    else if (was.first !== first) box.scrollTop += box.scrollHeight - was.height;
    if (!history.atEnd && was.last !== last) setUnseen((n) => n + Math.max(1, was.first === first ? items.length - was.count : 1));
    before.current = { first, last, height: box.scrollHeight, count: items.length };
    size.current = sizeOf(box);
  }, [items, history.state.value]);

  // When the composer grows or a phone turns, the end stays in sight.
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const seen = new ResizeObserver(() => {
      size.current = sizeOf(box);
      if (history.atEnd) box.scrollTop = box.scrollHeight;
    });
    seen.observe(box);
    seen.observe(box.firstElementChild!);
    return () => seen.disconnect();
  }, []);
  useEffect(() => props.talk.toEnd.subscribe((n) => n > 0 && toEnd()), []);

  function scrolled() {
    const box = scroller.current;
    if (box === null) return;
    if (size.current !== sizeOf(box)) return; // the layout scrolled, not a person
    history.atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < near;
    if (history.atEnd) {
      setUnseen(0);
      props.talk.seen();
    }
    if (box.scrollTop < near && !history.atEnd && history.older.peek() === 'some') void history.readOlder();
  }
  function toEnd() {
    history.atEnd = true;
    setUnseen(0);
    props.talk.seen();
    scroller.current?.scrollTo(0, scroller.current.scrollHeight);
  }

  return (
    <div class="messages">
      <div ref={scroller} class="scroller" onScroll={scrolled} tabIndex={0} role="log" aria-label={say.conversation.messages}>
        <div class="sheet-of-messages">
          <Older talk={props.talk} />
          {history.state.value === 'loading' && <p class="muted centre" role="status">{words.loading}</p>}
          {history.state.value === 'failed' && (
            <div class="note bad" role="alert"><p>{history.error.value}</p><button class="button small" onClick={() => void history.open()}>{words.retry}</button></div>
          )}
          {history.state.value === 'ready' && items.length === 0 && <p class="muted centre">{say.conversation.empty}</p>}
          <ol class="plain">
            {items.map((m, i) => (
              <li key={idOf(m)} class={m.side}>
                {(i === 0 || dayKey(items[i - 1]!.time) !== dayKey(m.time)) && <p class="day"><span>{day(m.time)}</span></p>}
                <Bubble m={m} talk={props.talk} reactions={reacted.get(idOf(m)) ?? none} votes={voted.get(idOf(m))} newest={i === items.length - 1} />
              </li>
            ))}
          </ol>
        </div>
      </div>
      {unseen > 0 && <button class="button small to-end" onClick={toEnd}><DownIcon />{say.conversation.newer(unseen)}</button>}
    </div>
  );
}

const sizeOf = (box: HTMLElement) => `${box.scrollHeight} ${box.clientHeight}`;
const none: Reaction[] = [];

function Older(props: { talk: Talk }) {
  const { history } = props.talk;
  const older = history.older.value;
  if (older === 'none') return null;
  return (
    <p class="centre">
      {older === 'failed' && <span class="error-text" role="alert">{history.error.value} </span>}
      <button class="button small quiet" onClick={() => void history.readOlder()}>{older === 'loading' ? words.loading : say.conversation.older}</button>
    </p>
  );
}
