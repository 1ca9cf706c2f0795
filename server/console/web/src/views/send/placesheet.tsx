// The place to send: one that was sent before, or one that is typed or pasted.
import { useId, useRef, useState } from 'preact/hooks';
import { plain } from '../../naming';
import { me } from '../../session';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { coordinates } from './coordinates';
import { OutcomeLine } from './outcome';
import { knownPlaces, mapLink, type Place } from './place';
import type { Sending } from './sending';
import type { Talk } from './talk';

const say = words.send.place;

export function PlaceSheet(props: { talk: Talk; sending: Sending; name: string; onClose: () => void }) {
  const { talk, sending, onClose } = props;
  const id = useId();
  const [where, setWhere] = useState('');
  const [error, setError] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const found = coordinates(where);
  const known = knownPlaces(me.value?.id ?? 0, talk.history.messages.value.flatMap((m) => m.message.location ?? []));

  function choose(p: Place, form: HTMLFormElement | null) {
    setWhere(`${p.latitude}, ${p.longitude}`);
    setError('');
    if (form === null) return;
    for (const name of ['name', 'address'] as const) (form.elements.namedItem(name) as HTMLInputElement).value = p[name];
    form.querySelector<HTMLButtonElement>('.primary')?.focus();
  }
  async function submit(e: SubmitEvent) {
    e.preventDefault();
    if (talk.deed.busy) return;
    if (found === null) {
      setError(where.trim() === '' ? say.none : say.notFound);
      field.current?.focus();
      return;
    }
    const data = new FormData(e.currentTarget as HTMLFormElement);
    if (await sending.place({ ...found, name: String(data.get('name')).trim(), address: String(data.get('address')).trim() })) onClose();
  }
  return (
    <Sheet title={say.title(props.name)} onClose={onClose}>
      <form class="newcustomer" onSubmit={(e) => void submit(e)} noValidate>
        {known.length > 0 && (
          <fieldset class="known">
            <legend class="label">{say.known}</legend>
            {known.map((p) => <button key={`${p.latitude} ${p.longitude} ${p.name}`} type="button" class="button small" onClick={(e) => choose(p, e.currentTarget.form)}>{plain(p.name || p.address) || `${p.latitude}, ${p.longitude}`}</button>)}
          </fieldset>
        )}
        <div class="field">
          <label for={`${id}w`}>{say.where}</label>
          <input
            ref={field} autofocus class="input" id={`${id}w`} name="where" value={where} required maxLength={2048} autocomplete="off" aria-invalid={error !== ''} aria-describedby={`${id}h ${id}e`}
            onInput={(e) => { setWhere(e.currentTarget.value); setError(''); }}
          />
          <p class="muted small" id={`${id}h`}>{say.hint}</p>
          <p class="error-text" id={`${id}e`} role="alert">{error}</p>
          {found !== null && (
            <p class="small" data-test="found">{say.found(found.latitude, found.longitude)} <a href={mapLink(found)} target="_blank" rel="noopener noreferrer">{say.look}</a></p>
          )}
        </div>
        <div class="field"><label for={`${id}n`}>{say.name}</label><input class="input" id={`${id}n`} name="name" maxLength={255} autocomplete="off" /></div>
        <div class="field"><label for={`${id}a`}>{say.address}</label><input class="input" id={`${id}a`} name="address" maxLength={1000} autocomplete="off" /></div>
        <OutcomeLine deed={talk.deed} />
        <button class="button primary">{say.send}</button>
      </form>
    </Sheet>
  );
}
