// The choice of the channel and events for the snippets.
import { useId } from 'preact/hooks';
import { words } from '../../words';
import type { Choice } from './channels';

const w = words.connect;
const groups = ['line', 'company', 'user'] as const;

export function ChannelPick(props: { choices: Choice[]; current: string; onPick: (channel: string) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{w.channel}</label>
      <select id={id} class="input" data-test="channel" value={props.current} onChange={(e) => props.onPick(e.currentTarget.value)}>
        {groups.map((g) => {
          const of = props.choices.filter((c) => c.group === g);
          return of.length > 0 && (
            <optgroup key={g} label={w.groups[g]}>
              {of.map((c) => <option key={c.channel} value={c.channel}>{c.label}</option>)}
            </optgroup>
          );
        })}
      </select>
      <code class="muted break">{props.current}</code>
    </div>
  );
}

interface EventPickProps {
  possible: readonly string[];
  off: ReadonlySet<string>;
  onChange: (off: ReadonlySet<string>) => void;
}

export function EventPick(props: EventPickProps) {
  const id = useId();
  const toggle = (event: string) => {
    const off = new Set(props.off);
    if (!off.delete(event)) off.add(event);
    props.onChange(off);
  };
  return (
    <div class="eventpick" role="group" aria-labelledby={id}>
      <div class="row">
        <span class="label" id={id}>{w.events}</span>
        {props.possible.length > 2 && (
          <>
            <button class="button quiet small" onClick={() => props.onChange(new Set())}>{w.all}</button>
            <button class="button quiet small" onClick={() => props.onChange(new Set(props.possible))}>{w.none}</button>
          </>
        )}
      </div>
      <div class="toggles">
        {props.possible.map((e) => (
          <button key={e} class="toggle mono" aria-pressed={!props.off.has(e)} onClick={() => toggle(e)}>{e}</button>
        ))}
      </div>
    </div>
  );
}
