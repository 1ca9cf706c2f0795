// Send: write as a customer, answer as an operator, act on the chat, and watch the
// events come. Three columns where there is room; on a phone one after the other.
import './send.css';
import type { Signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Rest } from '../../api';
import { SendIcon } from '../../ui/icons';
import { me } from '../../session';
import { path, route } from '../../route';
import { words } from '../../words';
import { Catalogue } from './catalogue';
import { ChatList } from './chatlist';
import { Chats } from './chats';
import { ConversationPane } from './conversation';
import { Deed } from './deed';
import { FactsPane } from './facts';
import { lines, mayPair, sameLine, type Line } from './line';
import { LineStand } from './linestand';
import { NewCustomer } from './newcustomer';
import { isAccount } from './stand';
import { Standing } from './standing';

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

export interface LineState {
  line: Line;
  chats: Chats;
  catalogue: Catalogue;
  standing: Standing;
  status: Signal<Rest['LineStatus'] | null>; // null: not known yet
  newcomer: { deed: Deed; chatId: string }; // who wrote first, and the event that it caused
  drafts: Map<string, string>; // of texts that were not sent, by chat and by who would write
}

function open(line: Line): LineState {
  const catalogue = new Catalogue(line);
  const standing = new Standing(line);
  return { line, catalogue, chats: new Chats(line, catalogue), standing, status: standing.status, drafts: new Map(), newcomer: { deed: new Deed(), chatId: '' } };
}

function LineView(props: { line: Line; chatId: string; facts: boolean }) {
  const { line, chatId, facts } = props;
  const state = useMemo(() => open(line), []);
  const { chats, catalogue, standing } = state;
  useEffect(() => {
    return () => {
      standing.close();
      chats.close();
      catalogue.close();
      state.newcomer.deed.end();
    };
  }, []);
  useEffect(() => {
    chats.choose(chatId);
    last = { user: me.peek()?.id ?? 0, line, chatId };
  }, [chatId]);
  // An address may spell a chat's id in several ways; events spell it in one.
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
 * useFocus keeps the keyboard where the eyes are: on a phone a step hides what had
 * the focus, and the first control of what is shown instead gets it.
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

/** Beginning is a line without chats: the first customer can write at once. */
function Beginning(props: { state: LineState }) {
  const why = whyNotBring(props.state);
  return (
    <div class="beginning">
      <div class="card">
        <h1>{why === '' ? say.start.title : words.nav.send}</h1>
        <LinePicker state={props.state} />
        <LineStand state={props.state} />
        {why === '' ? (
          <>
            {mayPair(props.state.line) && <p class="muted small">{say.stand.choice}</p>}
            <p class="muted">{say.start.lead}</p>
            <NewCustomer state={props.state} />
          </>
        ) : (
          <p class="note">{say.readOnlyEmpty} {account(props.state) && props.state.line.write ? say.stand.first : why}</p>
        )}
      </div>
    </div>
  );
}

/** whyNotBring says why the user cannot write as a customer; empty: they can. */
export function whyNotBring({ line, status }: LineState): string {
  if (!line.write) return say.readOnly;
  if (status.value !== null && isAccount(status.value)) return say.account;
  return line.onlyMine ? say.onlyMine : '';
}

/** account says that the line has an account of its own: what people do on it goes to the messenger. */
export function account({ status }: LineState): boolean {
  return status.value !== null && isAccount(status.value);
}

export function LinePicker(props: { state: LineState }) {
  const { line } = props.state;
  return (
    <div class="field">
      <label for="line" class="visually-hidden">{say.line}</label>
      <select
        id="line" class="input" value={`${line.licenseId}/${line.messenger}`}
        onChange={(e) => (location.hash = path('send', ...e.currentTarget.value.split('/')))}
      >
        {lines().map((l) => <option key={`${l.licenseId}/${l.messenger}`} value={`${l.licenseId}/${l.messenger}`}>{l.label}</option>)}
      </select>
    </div>
  );
}
