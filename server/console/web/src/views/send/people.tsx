// The people with a part in a chat.
import type { Rest } from '../../api';
import { names, namesVersion } from '../../names';
import { plain } from '../../naming';
import { CloseIcon } from '../../ui/icons';
import { words } from '../../words';
import { Adder, Choice } from './choice';
import type { Person } from './catalogue';
import { Section, useAct } from './section';
import type { LineState } from './linestate';
import type { Chat } from './line';

const say = words.send.fact;

function personName(id: number, people: readonly Person[]): string {
  void namesVersion.value;
  return plain(people.find((p) => p.id === id)?.name ?? names.user(id) ?? '') || say.user(id);
}

/**
 * PersonSelect chooses one of the people, or nobody. The chosen person may be one
 * whom this user cannot list.
 */
function PersonSelect(props: { label: string; value: Rest['Ref'] | null; state: LineState; onChoose: (id: number | null) => Promise<boolean> }) {
  const { label, value, onChoose } = props;
  const people = props.state.catalogue.people.value;
  const called = ({ id }: Rest['Ref']) => ({ id, name: personName(id, people) });
  return <Choice label={label} none={say.nobody} value={value && called(value)} of={people.map(called)} onChoose={onChoose} />;
}

export function ResponsibleSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  return (
    <Section title={say.responsible} deed={deed} name="responsible">
      <div class="row tight">
        <PersonSelect
          label={say.responsible} value={chat.responsible} state={state}
          onChoose={(id) => act('PUT', 'responsible', { id }, ['chatResponsible', 'chatResponsiblePin'])}
        />
        <button
          class="button" aria-pressed={chat.pin} disabled={chat.responsible === null} title={say.pinHint}
          onClick={() => void act('PUT', 'responsible/pin', { type: chat.pin ? 'unpin' : 'pin' }, ['chatResponsiblePin'])}
        >{say.pin}</button>
      </div>
    </Section>
  );
}

export function ProducerSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  return (
    <Section title={say.producer} deed={deed} name="producer">
      <PersonSelect label={say.producer} value={chat.producer} state={state} onChoose={(id) => act('PUT', 'producer', { id }, ['chatProducer'])} />
    </Section>
  );
}

/** OthersSection shows the parts that several people may have. */
export function OthersSection(props: { state: LineState; chat: Chat; part: 'accomplices' | 'auditors' }) {
  const { part } = props;
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  const people = state.catalogue.people.value;
  const members = chat[part];
  const event = part === 'accomplices' ? 'chatAccomplice' : 'chatAuditor';
  const rest = people.filter((p) => !members.some((m) => m.id === p.id));
  return (
    <Section title={say[part]} deed={deed} name={part}>
      <div class="row tight">
        {members.map((m) => {
          const name = personName(m.id, people);
          return (
            <span key={m.id} class="chip removable">
              {name}
              <button aria-label={say.remove(name, say[part])} onClick={() => void act('DELETE', `${part}/${m.id}`, undefined, [event])}><CloseIcon /></button>
            </span>
          );
        })}
        <Adder label={say[part]} of={rest} onAdd={(id) => act('POST', part, { id }, [event])} />
      </div>
    </Section>
  );
}
