// A new key: what it is for and may do, and then the key, which is shown once.
import { useId, useState } from 'preact/hooks';
import { call, type Rest } from '../../api';
import { licenses } from '../../session';
import { errorText } from '../../socket';
import { CopyButton } from '../../ui/copy';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { lineName } from './linename';

const say = words.keys;
const all: Rest['KeyRight'][] = ['read', 'send', 'manage', 'inbound'];

export function KeySheet(props: { company: number; name: string; onMade: (k: Rest['ApiKey']) => void; onClose: () => void }) {
  const id = useId();
  const [rights, setRights] = useState<Rest['KeyRight'][]>(['read', 'send']);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState<Rest['CreatedKey'] | null>(null);
  const lines = licenses.value.filter((l) => l.companyId === props.company).flatMap((l) => l.messenger.map((m) => ({ licenseId: l.licenseId, messengerType: m.type })));

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    if (rights.length === 0) return setError(say.needOne);
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const chosen = String(form.get('line'));
    const line = chosen === '' ? undefined : lines[Number(chosen)]; // undefined: all lines
    setBusy(true);
    setError('');
    try {
      const { key, ...data } = await call<Rest['CreatedKey']>('POST', '/v1/keys', { companyId: props.company, name: String(form.get('name')).trim(), rights, ...line });
      props.onMade(data);
      setMade({ ...data, key });
    } catch (e) {
      setError(errorText(e));
    }
    setBusy(false);
  }

  if (made !== null) {
    return (
      <Sheet title={say.made(made.name)} onClose={props.onClose}>
        <p class="note warn">{say.once}</p>
        <div class="field">
          <label for={`${id}k`}>{say.key}</label>
          <input class="input mono" id={`${id}k`} readOnly value={made.key} data-test="key" onFocus={(e) => e.currentTarget.select()} ref={(e) => e?.focus()} />
        </div>
        <div class="row">
          <CopyButton label={say.copy} text={() => made.key} />
          <button class="button small" onClick={props.onClose}>{say.done}</button>
        </div>
      </Sheet>
    );
  }
  return (
    <Sheet title={say.makeTitle(props.name)} onClose={props.onClose}>
      <form class="newcustomer" onSubmit={(e) => void submit(e)}>
        <div class="field"><label for={`${id}n`}>{say.name}</label><input class="input" id={`${id}n`} name="name" placeholder={say.nameHint} autofocus required maxLength={255} autocomplete="off" /></div>
        <div class="field">
          <label for={`${id}l`}>{say.line}</label>
          <select class="input" id={`${id}l`} name="line">
            <option value="">{say.all}</option>
            {lines.map((l, i) => <option key={`${l.licenseId}/${l.messengerType}`} value={String(i)}>{lineName(l.licenseId, l.messengerType)}</option>)}
          </select>
        </div>
        <fieldset class="choices">
          <legend class="label">{say.rights}</legend>
          {all.map((r) => (
            <label key={r} class="check"><input type="checkbox" checked={rights.includes(r)} onChange={(e) => { setError(''); setRights(e.currentTarget.checked ? [...rights, r] : rights.filter((x) => x !== r)); }} /> {say.right[r]}</label>
          ))}
        </fieldset>
        <p class="error-text" role="alert">{error}</p>
        <button class="button primary" disabled={busy}>{say.create}</button>
      </form>
    </Sheet>
  );
}
