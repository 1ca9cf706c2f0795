// The level of a chat, one of those that the company has.
import { useState } from 'preact/hooks';
import { PlusIcon } from '../../ui/icons';
import { words } from '../../words';
import { Choice, Maker } from './choice';
import { Section, useAct } from './section';
import type { LineState } from './linestate';
import type { Chat } from './line';

const say = words.send.fact;

export function LevelSection(props: { state: LineState; chat: Chat }) {
  const { state, chat, deed, act } = useAct(props.state, props.chat);
  const [making, setMaking] = useState(false);
  const levels = state.catalogue.levels.value;
  const set = (id: number | null) => act('PUT', 'level', { id }, ['chatLevel']);
  return (
    <Section title={say.level} deed={deed} name="level">
      <div class="row tight">
        {levels.length > 0 || chat.level !== null
          ? <Choice label={say.level} none={say.noLevel} value={chat.level} of={levels} onChoose={set} />
          : <p class="muted small">{say.noLevels}</p>}
        {state.line.admin && state.line.write && (
          <button class="button small" aria-expanded={making} onClick={() => setMaking(!making)}><PlusIcon />{say.newLevel}</button>
        )}
      </div>
      {making && (
        <Maker
          label={say.newLevel} deed={deed} make={(name) => state.catalogue.makeLevel(name)}
          onMade={(level) => { setMaking(false); void set(level.id); }}
        />
      )}
    </Section>
  );
}
