// The level of a chat, of those that the company has.
import { useState } from 'preact/hooks';
import type { Rest } from '../../api';
import { plain } from '../../naming';
import { faultText } from '../../socket';
import { PlusIcon } from '../../ui/icons';
import { words } from '../../words';
import { Section, useAct } from './facts';
import type { LineState } from './index';
import type { Chat } from './line';

const say = words.send.fact;

export function LevelSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  const [making, setMaking] = useState(false);
  const levels = state.catalogue.levels.value;
  const all = chat.level === null || levels.some((l) => l.id === chat.level!.id) ? levels : [...levels, chat.level];
  const set = (id: number | null) => act('PUT', 'level', { id }, ['chatLevel']);

  // What was refused is not what is shown.
  async function choose(e: { currentTarget: HTMLSelectElement }) {
    const select = e.currentTarget;
    if (!(await set(select.value === '' ? null : Number(select.value)))) select.value = chat.level === null ? '' : String(chat.level.id);
  }

  async function make(e: SubmitEvent) {
    e.preventDefault();
    const name = String(new FormData(e.currentTarget as HTMLFormElement).get('name')).trim();
    if (name === '') return;
    let level: Rest['Level'];
    try {
      level = await state.catalogue.makeLevel(name);
    } catch (e) {
      deed.failed(faultText(e));
      return;
    }
    setMaking(false);
    await set(level.id);
  }

  return (
    <Section title={say.level} deed={deed} name="level">
      <div class="row tight">
        {all.length > 0 ? (
          <select
            class="input" aria-label={say.level} value={chat.level === null ? '' : String(chat.level.id)}
            onChange={(e) => void choose(e)}
          >
            <option value="">{say.noLevel}</option>
            {all.map((l) => <option key={l.id} value={String(l.id)}>{plain(l.name)}</option>)}
          </select>
        ) : <p class="muted small">{say.noLevels}</p>}
        {state.line.admin && state.line.write && (
          <button class="button small" aria-expanded={making} onClick={() => setMaking(!making)}><PlusIcon />{say.newLevel}</button>
        )}
      </div>
      {making && (
        <form class="row tight maker" onSubmit={(e) => void make(e)}>
          <input class="input" name="name" aria-label={`${say.newLevel}: ${say.name}`} placeholder={say.name} required maxLength={255} autocomplete="off" ref={focus} />
          <button class="button small">{say.make}</button>
        </form>
      )}
    </Section>
  );
}

const focus = (e: HTMLInputElement | null) => e?.focus();
