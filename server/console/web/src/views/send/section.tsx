// A section of the facts: its title, its actions, and the events that they caused.
import type { ComponentChildren } from 'preact';
import { call } from '../../api';
import type { LicenseEvents } from '@chatcast/events';
import { me } from '../../session';
import { useDeed, type Deed, type Expected } from './deed';
import { editorOf } from './events';
import { chatPath, type Chat } from './line';
import type { LineState } from './linestate';
import { OutcomeLine } from './outcome';

/** Act is what a section needs of the chat. act sends a request and waits for its events. */
export interface Act {
  state: LineState;
  chat: Chat;
  deed: Deed;
  act: (method: string, path: string, body: unknown, events: LicenseEvents[]) => Promise<boolean>;
}

/**
 * useAct gives a section its own deed, so that its errors and events appear where
 * the user clicked.
 */
export function useAct(state: LineState, chat: Chat): Act {
  const deed = useDeed(chat.id);
  const act: Act['act'] = async (method, where, body, events) => {
    if (deed.busy) return false;
    const who = me.peek()?.id;
    const expected: Expected = { line: state.line, events, of: (id, t) => id === chat.id && editorOf(t) === who };
    const answer = await deed.run(expected, () => call<Chat>(method, `${chatPath(state.line, chat.id)}/${where}`, body));
    if (answer !== undefined) state.chats.put(answer);
    return answer !== undefined;
  };
  return { state, chat, deed, act };
}

export function Section(props: { title: string; deed: Deed; children: ComponentChildren; name: string }) {
  return (
    <section class="fact" data-fact={props.name} aria-label={props.title}>
      <h3>{props.title}</h3>
      {props.children}
      <OutcomeLine deed={props.deed} />
    </section>
  );
}
