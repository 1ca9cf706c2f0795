// The controls that choose the facts of a chat.
import type { ComponentChildren } from 'preact';
import { plain } from '../../naming';
import { errorText } from '../../socket';
import { words } from '../../words';
import type { Deed } from './deed';

const say = words.send.fact;

interface Named {
  readonly id: number;
  readonly name: string;
}

/** Choice chooses one thing or none. A refused choice is not shown as chosen. */
export function Choice(props: { label: string; none: string; value: Named | null; of: readonly Named[]; onChoose: (id: number | null) => Promise<boolean> }) {
  const { value, of } = props;
  const chosen = value === null ? '' : String(value.id);
  async function choose(e: { currentTarget: HTMLSelectElement }) {
    const select = e.currentTarget;
    if (!(await props.onChoose(select.value === '' ? null : Number(select.value)))) select.value = chosen;
  }
  const all = value === null || of.some((o) => o.id === value.id) ? of : [...of, value];
  return (
    <select class="input" aria-label={props.label} value={chosen} onChange={(e) => void choose(e)}>
      <option value="">{props.none}</option>
      <Options of={all} />
    </select>
  );
}

/** Adder adds one thing after another. */
export function Adder(props: { label: string; of: readonly Named[]; onAdd: (id: number) => Promise<boolean> }) {
  if (props.of.length === 0) return null;
  function add(e: { currentTarget: HTMLSelectElement }) {
    const id = Number(e.currentTarget.value);
    e.currentTarget.value = '';
    void props.onAdd(id);
  }
  return (
    <select class="input adder" aria-label={say.addTo(props.label)} value="" onChange={add}>
      <option value="">{say.add}</option>
      <Options of={props.of} />
    </select>
  );
}

function Options(props: { of: readonly Named[] }) {
  return <>{props.of.map((o) => <option key={o.id} value={String(o.id)}>{plain(o.name)}</option>)}</>;
}

interface MakerProps<T> {
  label: string;
  deed: Deed;
  make: (name: string, form: FormData) => Promise<T>;
  onMade: (made: T) => void;
  children?: ComponentChildren; // fields besides the name
}

/** Maker creates a new thing to choose. */
export function Maker<T>(props: MakerProps<T>) {
  const { label, deed, make, onMade, children } = props;
  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const name = String(form.get('name')).trim();
    if (name === '') return;
    try {
      onMade(await make(name, form));
    } catch (e) {
      deed.failed(errorText(e));
    }
  }
  return (
    <form class="row tight maker" onSubmit={(e) => void submit(e)}>
      <input class="input" name="name" aria-label={`${label}: ${say.name}`} placeholder={say.name} required maxLength={255} autocomplete="off" ref={focus} />
      {children}
      <button class="button small">{say.make}</button>
    </form>
  );
}

const focus = (e: HTMLInputElement | null) => e?.focus();
