// Who has which part in a chat.
import { names, namesVersion } from '../../names';
import { plain } from '../../naming';
import { CloseIcon } from '../../ui/icons';
import { words } from '../../words';
import type { Person } from './catalogue';
import { Section, useAct } from './facts';
import type { LineState } from './index';
import type { Chat } from './line';

const say = words.send.fact;

export function personName(id: number, people: readonly Person[]): string {
  void namesVersion.value;
  return plain(people.find((p) => p.id === id)?.name ?? names.user(id) ?? '') || say.user(id);
}

/** PersonSelect chooses one of the people, or nobody. Who is chosen may be somebody this user cannot list. */
function PersonSelect(props: { label: string; value: number | null; state: LineState; onChoose: (id: number | null) => Promise<boolean> }) {
  const people = props.state.catalogue.people.value;
  const { value } = props;
  // What was refused is not what is shown.
  async function choose(e: { currentTarget: HTMLSelectElement }) {
    const select = e.currentTarget;
    if (!(await props.onChoose(select.value === '' ? null : Number(select.value)))) select.value = value === null ? '' : String(value);
  }
  const all = value === null || people.some((p) => p.id === value) ? people : [...people, { id: value, name: personName(value, people) }];
  return (
    <select class="input" aria-label={props.label} value={value === null ? '' : String(value)} onChange={(e) => void choose(e)}>
      <option value="">{say.nobody}</option>
      {all.map((p) => <option key={p.id} value={String(p.id)}>{personName(p.id, people)}</option>)}
    </select>
  );
}

export function ResponsibleSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  return (
    <Section title={say.responsible} deed={deed} name="responsible">
      <div class="row tight">
        <PersonSelect
          label={say.responsible} value={chat.responsible?.id ?? null} state={state}
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
      <PersonSelect label={say.producer} value={chat.producer?.id ?? null} state={state} onChoose={(id) => act('PUT', 'producer', { id }, ['chatProducer'])} />
    </Section>
  );
}

/** OthersSection are the parts that several may have. */
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
        {rest.length > 0 && (
          <select
            class="input adder" aria-label={say.addTo(say[part])} value=""
            onChange={(e) => {
              const who = Number(e.currentTarget.value);
              e.currentTarget.value = '';
              void act('POST', part, { id: who }, [event]);
            }}
          >
            <option value="">{say.add}</option>
            {rest.map((p) => <option key={p.id} value={String(p.id)}>{personName(p.id, people)}</option>)}
          </select>
        )}
      </div>
    </Section>
  );
}
