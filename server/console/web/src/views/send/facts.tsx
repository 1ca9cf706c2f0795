// The third column: the facts of the chat, and the actions that change it. Each
// shows the events that it caused.
import { call } from '../../api';
import { chatName, phone } from '../../naming';
import { path } from '../../route';
import { BackIcon } from '../../ui/icons';
import { CopyButton } from '../../ui/copy';
import { words } from '../../words';
import { LevelSection } from './level';
import { chatPath, type Chat } from './line';
import type { LineState } from './linestate';
import { OthersSection, ProducerSection, ResponsibleSection } from './people';
import { Section, useAct } from './section';
import { TagSection } from './tags';
import { dayAndTime } from './time';

const say = words.send.fact;

export function FactsPane(props: { state: LineState; chatId: string }) {
  const { state, chatId } = props;
  const { line } = state;
  const chat = state.chats.open.value.chat;
  return (
    <section class="facts" aria-label={words.send.facts}>
      <header class="head">
        <a class="button quiet icon" href={path('send', line.licenseId, line.messenger, chatId)} aria-label={words.send.backToChat}><BackIcon /></a>
        <h2>{words.send.facts}</h2>
      </header>
      {chat === null ? <p class="muted pad" role="status">{say.loading}</p> : <Facts state={state} chat={chat} />}
    </section>
  );
}

function Facts(props: { state: LineState; chat: Chat }) {
  const { state, chat } = props;
  return (
    <>
      <div class="fact">
        <p><strong>{chatName(chat) ?? chat.id}</strong></p>
        {chat.phone !== null && <p class="muted">{phone(chat.phone)}</p>}
        <p class="row tight"><code class="break">{chat.id}</code><CopyButton text={() => chat.id} name={`${words.copy} ${chat.id}`} /></p>
        <p class="muted small">{chat.conversation === null ? say.noWindow : say.window[chat.conversation.type](dayAndTime(chat.conversation.endTime))}</p>
      </div>
      {state.line.write ? <p class="muted small pad">{say.lead}</p> : <p class="note small">{words.send.readOnly}</p>}
      <fieldset class="actions" disabled={!state.line.write}>
        <legend class="visually-hidden">{words.send.facts}</legend>
        <TagSection state={state} chat={chat} />
        <StatusSection state={state} chat={chat} />
        <ResponsibleSection state={state} chat={chat} />
        <ReadingSection state={state} chat={chat} />
        <LevelSection state={state} chat={chat} />
        <ProducerSection state={state} chat={chat} />
        <OthersSection state={state} chat={chat} part="accomplices" />
        <OthersSection state={state} chat={chat} part="auditors" />
      </fieldset>
    </>
  );
}

function StatusSection(props: { state: LineState; chat: Chat }) {
  const { chat, deed, act } = useAct(props.state, props.chat);
  return (
    <Section title={say.status} deed={deed} name="status">
      <div class="row">
        <div class="segments" role="group" aria-label={say.status}>
          {(['open', 'close'] as const).map((type) => (
            <button key={type} class="segment" aria-pressed={chat.status === type} onClick={() => void act('PUT', 'status', { type }, ['chatStatus', 'chatLevel'])}>{say[type]}</button>
          ))}
        </div>
        <button
          class="button small" aria-pressed={chat.process === 'inWork'}
          onClick={() => void act('PUT', 'process', { process: chat.process === null ? 'inWork' : null }, ['chatProcess'])}
        >{say.inWork}</button>
      </div>
    </Section>
  );
}

function ReadingSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  const typing = (type: 'text' | 'voice') => {
    if (deed.busy) return;
    const expected = { line: state.line, events: [], of: () => false, note: words.send.outcome.typing };
    void deed.run(expected, () => call('POST', `${chatPath(state.line, chat.id)}/typing`, { type }));
  };
  return (
    <Section title={say.reading} deed={deed} name="reading">
      <div class="row">
        <button class="button small" onClick={() => void act('PATCH', 'read', undefined, ['chatRead'])}>
          {say.read}{chat.unread > 0 && <span class="unread" aria-label={words.send.unread(chat.unread)}>{chat.unread}</span>}
        </button>
        <button class="button small" onClick={() => typing('text')}>{say.typing}</button>
        <button class="button small" onClick={() => typing('voice')}>{say.voice}</button>
      </div>
    </Section>
  );
}
