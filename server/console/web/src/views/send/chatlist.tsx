// The first column: the line, and its chats.
import { useEffect, useState } from 'preact/hooks';
import { draftKey, draftText, draftsVersion } from '../../drafts';
import { chatName, phone, plain } from '../../naming';
import { names, namesVersion } from '../../names';
import { path } from '../../route';
import { initials } from '../../ui/account';
import { ChannelIcon, GroupIcon, PlusIcon } from '../../ui/icons';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import type { StatusFilter } from './chats';
import { LinePicker } from './linepicker';
import { whyNoInbound, type LineState } from './linestate';
import type { Chat } from './line';
import { LineStand } from './linestand';
import { inWords } from './messages';
import { NewCustomer } from './newcustomer';
import { dayOrTime } from './time';

const say = words.send;

export function ChatList(props: { state: LineState; chatId: string }) {
  const { chats } = props.state;
  const [adding, setAdding] = useState(false);
  const items = chats.items.value;
  const state = chats.state.value;
  return (
    <section class="chats" aria-label={say.chats}>
      <header>
        <LinePicker state={props.state} />
        <LineStand state={props.state} />
        <div class="row tight">
          <SearchBox state={props.state} />
          {whyNoInbound(props.state) === '' && (
            <button class="button primary icon" aria-label={say.newCustomer} title={say.newCustomer} data-test="new-customer" onClick={() => setAdding(true)}><PlusIcon /></button>
          )}
        </div>
        <StatusChoice state={props.state} />
      </header>
      {state === 'failed' && (
        <div class="note bad" role="alert"><p>{chats.error.value}</p><button class="button small" onClick={() => void chats.load()}>{words.retry}</button></div>
      )}
      {state === 'loading' && <p class="muted pad" role="status">{words.loading}</p>}
      {state === 'ready' && items.length === 0 && <NoMatch state={props.state} />}
      <ul class="plain" onKeyDown={arrows}>
        {items.map((c) => <ChatRow key={c.id} chat={c} state={props.state} open={c.id === props.chatId} />)}
      </ul>
      {state === 'ready' && chats.error.value !== '' && <p class="error-text pad" role="alert">{chats.error.value}</p>}
      {chats.more.value !== 'none' && items.length > 0 && (
        <button class="button quiet" onClick={() => void chats.loadMore()}>{chats.more.value === 'loading' ? words.loading : say.loadMore}</button>
      )}
      {adding && (
        <Sheet title={say.newCustomer} onClose={() => setAdding(false)}>
          <p class="muted">{say.start.again}</p>
          <NewCustomer state={props.state} onDone={() => setAdding(false)} />
        </Sheet>
      )}
    </section>
  );
}

function SearchBox(props: { state: LineState }) {
  const { chats } = props.state;
  const [text, setText] = useState(chats.search.peek());
  useEffect(() => {
    if (text.trim() === chats.search.peek()) return;
    const t = setTimeout(() => {
      chats.search.value = text.trim();
      void chats.load();
    }, 250);
    return () => clearTimeout(t);
  }, [text]);
  useEffect(() => chats.search.subscribe((s) => s === '' && setText('')), []); // cleared from outside
  return (
    <input
      class="input" type="search" aria-label={say.search} placeholder={say.searchShort} maxLength={100} value={text}
      onInput={(e) => setText(e.currentTarget.value)}
    />
  );
}

function StatusChoice(props: { state: LineState }) {
  const { chats } = props.state;
  const choose = (s: StatusFilter) => {
    chats.status.value = s;
    void chats.load();
  };
  return (
    <div class="segments" role="group" aria-label={say.status.label}>
      {(['', 'open', 'close'] as const).map((s) => (
        <button key={s} class="segment" aria-pressed={chats.status.value === s} onClick={() => choose(s)}>{say.status[s || 'all']}</button>
      ))}
    </div>
  );
}

function NoMatch(props: { state: LineState }) {
  const { chats } = props.state;
  const all = () => {
    chats.search.value = '';
    chats.status.value = '';
    void chats.load();
  };
  return <div class="empty"><p class="muted">{say.noMatch}</p><button class="button small" onClick={all}>{say.showAll}</button></div>;
}

function ChatRow(props: { chat: Chat; state: LineState; open: boolean }) {
  const { chat, state, open } = props;
  const { line, chats } = state;
  void namesVersion.value;
  void draftsVersion.value;
  const name = chatName(chat) ?? chat.id;
  const draft = open ? '' : draftText(draftKey(line, chat.id, 'operator')).trim();
  const last = chat.lastMessage?.deletedAt === null ? inWords(chat.lastMessage.type, chat.lastMessage.message) : '';
  const under = chats.heard.get(chat.id) || last || (chat.phone && phone(chat.phone) !== name ? phone(chat.phone) : plain(chat.username ?? ''));
  const responsible = chat.responsible && plain(names.user(chat.responsible.id) ?? '');
  return (
    <li>
      <a class="chat" href={path('send', line.licenseId, line.messenger, chat.id)} aria-current={open ? 'true' : undefined} data-chat={chat.id}>
        <Face chat={chat} />
        <span class="who"><span class="name">{name}</span><time class="muted">{dayOrTime(chat.lastTime)}</time></span>
        <span class="what">
          {draft === '' ? <span class="under muted">{under}</span> : <span class="under"><span class="draft">{say.draft}</span> {draft.slice(0, 100)}</span>}
          {chat.status === 'close' && <span class="chip">{say.closed}</span>}
          {responsible && <span class="chip" title={`${say.fact.responsible}: ${responsible}`}>{initials(responsible)}</span>}
          {chat.tags.slice(0, 3).map((t) => <TagDot key={t.id} tag={t} />)}
          {chat.unread > 0 && <span class="unread"><span aria-hidden="true">{chat.unread > 99 ? '99+' : chat.unread}</span><span class="visually-hidden">{say.unread(chat.unread)}</span></span>}
        </span>
      </a>
    </li>
  );
}

export function Face(props: { chat: Chat }) {
  const { type } = props.chat;
  const Sign = type === 'group' ? GroupIcon : type === 'channel' ? ChannelIcon : null;
  return <span class="face big" aria-hidden="true">{Sign !== null ? <Sign /> : initials(chatName(props.chat) ?? '?').replace(/^\+/, '#')}</span>;
}

function TagDot(props: { tag: Chat['tags'][number] }) {
  return <span class="tagdot" style={{ background: props.tag.color }} title={plain(props.tag.name)}><span class="visually-hidden">{plain(props.tag.name)}</span></span>;
}

/** arrows moves up and down a list of links. */
function arrows(e: KeyboardEvent): void {
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
  const all = [...(e.currentTarget as HTMLElement).querySelectorAll('a')];
  const next = all[all.indexOf(document.activeElement as HTMLAnchorElement) + (e.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  e.preventDefault();
  next.focus();
}
