// The tags of a chat; owners and admins make new ones on the way.
import { useState } from 'preact/hooks';
import type { Rest } from '../../api';
import { plain } from '../../naming';
import { faultText } from '../../socket';
import { CloseIcon, PlusIcon } from '../../ui/icons';
import { words } from '../../words';
import { Section, useAct } from './facts';
import type { LineState } from './index';
import type { Chat } from './line';

const say = words.send.fact;
const colours = ['#0a6e54', '#1f5fa8', '#8a5200', '#b3261e', '#6a3fa0', '#5b6472'];

export function TagSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  const { tags } = state.catalogue;
  const [making, setMaking] = useState(false);
  const rest = tags.value.filter((t) => !chat.tags.some((c) => c.id === t.id));
  const add = (tagId: number) => act('POST', 'tags', { tagId }, ['chatTag']);

  async function make(name: string, color: string) {
    let tag: Rest['Tag'];
    try {
      tag = await state.catalogue.makeTag(name, color);
    } catch (e) {
      deed.failed(faultText(e));
      return;
    }
    setMaking(false);
    await add(tag.id);
  }

  return (
    <Section title={say.tags} deed={deed} name="tags">
      <div class="row tight">
        {chat.tags.map((t) => (
          <span key={t.id} class="chip removable">
            <span class="tagdot" style={{ background: t.color }} /> {plain(t.name)}
            <button aria-label={say.remove(plain(t.name), say.tags)} onClick={() => void act('DELETE', `tags/${t.id}`, undefined, ['chatTag'])}><CloseIcon /></button>
          </span>
        ))}
        {rest.length > 0 && (
          <select
            class="input adder" aria-label={say.addTo(say.tags)} value=""
            onChange={(e) => {
              const id = Number(e.currentTarget.value);
              e.currentTarget.value = '';
              void add(id);
            }}
          >
            <option value="">{say.add}</option>
            {rest.map((t) => <option key={t.id} value={String(t.id)}>{plain(t.name)}</option>)}
          </select>
        )}
        {state.line.admin && state.line.write && (
          <button class="button small" aria-expanded={making} onClick={() => setMaking(!making)}><PlusIcon />{say.newTag}</button>
        )}
      </div>
      {tags.value.length === 0 && !making && <p class="muted small">{state.line.admin ? say.noTags : say.askTags}</p>}
      {making && <NewTag onMake={make} colour={colours[tags.value.length % colours.length]!} />}
    </Section>
  );
}

function NewTag(props: { onMake: (name: string, color: string) => Promise<void>; colour: string }) {
  return (
    <form
      class="row tight maker"
      onSubmit={(e) => {
        e.preventDefault();
        const form = new FormData(e.currentTarget as HTMLFormElement);
        const name = String(form.get('name')).trim();
        if (name !== '') void props.onMake(name, String(form.get('color')));
      }}
    >
      <input class="input" name="name" aria-label={`${say.newTag}: ${say.name}`} placeholder={say.name} required maxLength={255} autocomplete="off" ref={focus} />
      <input class="colour" type="color" name="color" aria-label={`${say.newTag}: ${say.colour}`} defaultValue={props.colour} />
      <button class="button small">{say.make}</button>
    </form>
  );
}

const focus = (e: HTMLInputElement | null) => e?.focus();
