// Send: write as a customer, answer as an operator, act on the chat, and watch the
// events come. There are three columns if there is room; on a phone they come one
// after the other.
import './send.css';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { SendIcon } from '../../ui/icons';
import { me } from '../../session';
import { path, route } from '../../route';
import { words } from '../../words';
import { ChatList } from './chatlist';
import { ConversationPane } from './conversation';
import { useNoStrayDrops } from './drop';
import { FactsPane } from './facts';
import { lines, mayPair, sameLine, type Line } from './line';
import { LinePicker } from './linepicker';
import { LineStand } from './linestand';
import { account, openLine, whyNoInbound, type LineState } from './linestate';
import { NewCustomer } from './newcustomer';

const say = words.send;

/** The line of the last visit, so that the view opens where it was left. */
let last: { user: number; line: Line; chatId: string } | null = null;

export function Send() {
  const all = lines();
  const [licenseId = '', messenger = '', chatId = '', pane = ''] = route.value.rest;
  const asked = all.find((l) => String(l.licenseId) === licenseId && l.messenger === messenger);
  if (all.length === 0) return <div class="empty"><SendIcon /><h1>{say.noLines.title}</h1><p class="muted">{say.noLines.lead}</p></div>;
  if (licenseId !== '' && asked === undefined) {
    return (
      <div class="empty" role="alert">
        <SendIcon /><h1>{words.nav.send}</h1><p>{say.noSuchLine}</p>
        <a class="button" href={path('send', all[0]!.licenseId, all[0]!.messenger)}>{say.toFirst}</a>
      </div>
    );
  }
  const mine = last?.user === me.value?.id ? last : null;
  const line = asked ?? all.find((l) => sameLine(l, mine?.line ?? null)) ?? all[0]!;
  return <LineView key={`${line.licenseId} ${line.messenger}`} line={line} chatId={chatId} facts={pane === 'facts'} />;
}

function LineView(props: { line: Line; chatId: string; facts: boolean }) {
  const { line, chatId, facts } = props;
  const state = useMemo(() => openLine(line), []);
  const { chats, catalogue, standing } = state;
  useNoStrayDrops();
  useEffect(() => {
    return () => {
      standing.close();
      chats.close();
      catalogue.close();
      state.firstContact.deed.end();
    };
  }, []);
  useEffect(() => {
    chats.choose(chatId);
    last = { user: me.peek()?.id ?? 0, line, chatId };
  }, [chatId]);
  // An address may spell a chat's id in several ways, but events use one.
  const opened = chats.open.value;
  useEffect(() => {
    if (opened.asked === chatId && opened.id !== chatId) location.replace(path('send', line.licenseId, line.messenger, opened.id));
  }, [opened.id]);
  const step = chatId === '' ? 'chats' : facts ? 'facts' : 'chat';
  const view = useFocus(step);

  const nothing = chats.state.value === 'ready' && chats.items.value.length === 0 && chats.search.value === '' && chats.status.value === '';
  if (nothing && chatId === '') return <Beginning state={state} />;
  return (
    <div ref={view} class="send" data-step={step}>
      <h1 class="visually-hidden">{words.nav.send}</h1>
      <ChatList state={state} chatId={chatId} />
      {chatId === '' ? (
        <section class="conversation"><div class="empty"><SendIcon /><h2>{say.pick.title}</h2><p class="muted">{say.pick.lead}</p></div></section>
      ) : (
        <>
          <ConversationPane key={chatId} state={state} chatId={chatId} />
          <FactsPane key={`${chatId} facts`} state={state} chatId={chatId} />
        </>
      )}
    </div>
  );
}

/**
 * useFocus keeps the keyboard focus in the visible column. On a phone, a step hides
 * the column with the focus, and the first control of the new column gets it.
 */
function useFocus(step: string) {
  const view = useRef<HTMLDivElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const frame = requestAnimationFrame(() => {
      const now = document.activeElement;
      if (now !== null && now !== document.body && now.checkVisibility()) return;
      const controls = view.current?.querySelectorAll<HTMLElement>(':is(.chats, .conversation, .facts) :is(a, button)') ?? [];
      [...controls].find((c) => c.checkVisibility())?.focus();
    });
    return () => cancelAnimationFrame(frame);
  }, [step]);
  return view;
}

/** Beginning is shown for a line without chats: the first customer can write at once. */
function Beginning(props: { state: LineState }) {
  const why = whyNoInbound(props.state);
  return (
    <div class="beginning">
      <div class="card">
        <h1>{why === '' ? say.start.title : words.nav.send}</h1>
        <LinePicker state={props.state} />
        <LineStand state={props.state} />
        {why === '' ? (
          <>
            {mayPair(props.state.line) && <p class="muted small">{say.stand.choice}</p>}
            <p class="muted">{say.start.lead}{props.state.status.value?.state === 'not_set_up' && ` ${say.start.becomes}`}</p>
            <NewCustomer state={props.state} />
          </>
        ) : (
          <p class="note">{say.readOnlyEmpty} {account(props.state) && props.state.line.write ? say.stand.first : why}</p>
        )}
      </div>
    </div>
  );
}
