// The tags of a chat. Owners and admins can create new ones here.
import { useState } from 'preact/hooks';
import { plain } from '../../naming';
import { CloseIcon, PlusIcon } from '../../ui/icons';
import { words } from '../../words';
import { Adder, Maker } from './choice';
import { Section, useAct } from './section';
import type { LineState } from './linestate';
import type { Chat } from './line';

const say = words.send.fact;
const colours = ['#0a6e54', '#1f5fa8', '#8a5200', '#b3261e', '#6a3fa0', '#5b6472'];

export function TagSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  const { tags } = state.catalogue;
  const [making, setMaking] = useState(false);
  const rest = tags.value.filter((t) => !chat.tags.some((c) => c.id === t.id));
  const add = (tagId: number) => act('POST', 'tags', { tagId }, ['chatTag']);
  return (
    <Section title={say.tags} deed={deed} name="tags">
      <div class="row tight">
        {chat.tags.map((t) => (
          <span key={t.id} class="chip removable">
            <span class="tagdot" style={{ background: t.color }} /> {plain(t.name)}
            <button aria-label={say.remove(plain(t.name), say.tags)} onClick={() => void act('DELETE', `tags/${t.id}`, undefined, ['chatTag'])}><CloseIcon /></button>
          </span>
        ))}
        <Adder label={say.tags} of={rest} onAdd={add} />
        {state.line.admin && state.line.write && (
          <button class="button small" aria-expanded={making} onClick={() => setMaking(!making)}><PlusIcon />{say.newTag}</button>
        )}
      </div>
      {tags.value.length === 0 && !making && <p class="muted small">{state.line.admin ? say.noTags : say.askTags}</p>}
      {making && (
        <Maker
          label={say.newTag} deed={deed} make={(name, form) => state.catalogue.makeTag(name, String(form.get('color')))}
          onMade={(tag) => { setMaking(false); void add(tag.id); }}
        >
          <input class="colour" type="color" name="color" aria-label={`${say.newTag}: ${say.colour}`} defaultValue={colours[tags.value.length % colours.length]!} />
        </Maker>
      )}
    </Section>
  );
}
