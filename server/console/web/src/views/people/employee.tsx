// One person of the company, in a row, and the sheet that changes their rights or
// removes them.
import { useState } from 'preact/hooks';
import { plain } from '../../naming';
import { licenses, me } from '../../session';
import { errorText } from '../../socket';
import { initials } from '../../ui/account';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import type { Company, Employee } from './company';
import { RightsFields, type Rights } from './rights';

const say = words.people;

/** lines says in words what a person sees. */
function lines(e: Employee): string {
  if (e.role !== 'operator') return say.allLines;
  if (e.licenses.length === 0) return say.noLines;
  const names = e.licenses.map((r) => {
    const name = plain(licenses.value.find((l) => l.licenseId === r.licenseId)?.licenseName ?? '') || say.license(r.licenseId);
    return r.write ? name : `${name} (${say.readOnly})`;
  });
  return names.join(', ') + (e.onlyMine ? `; ${say.onlyMine}` : '');
}

export function EmployeeRow(props: { e: Employee; mayChange: boolean; onOpen: () => void }) {
  const { e } = props;
  const mine = e.userId === me.value?.id;
  const name = plain(e.name) || e.email;
  return (
    <li class="person" data-person={e.email}>
      <span class="face big" aria-hidden="true">{initials(name)}</span>
      <div class="who">
        <p class="row tight">
          <strong class="break">{name}</strong>
          {mine && <span class="muted">{say.you}</span>}
          <span class="chip">{words.account.role[e.role] ?? e.role}</span>
          <span class="chip"><span class={e.online ? 'dot good' : 'dot'} /> {e.online ? say.online : say.offline}{e.workday === 'start' && `, ${say.working}`}</span>
        </p>
        <p class="muted small break">{e.email}</p>
        <p class="small break">{lines(e)}</p>
      </div>
      {props.mayChange && !mine && <button class="button small" aria-label={say.changeOf(name)} onClick={props.onOpen}>{say.change}</button>}
    </li>
  );
}

export function EmployeeSheet(props: { e: Employee; company: Company; companyName: string; owner: boolean; onClose: () => void }) {
  const { e, company, onClose } = props;
  const name = plain(e.name) || e.email;
  const [rights, setRights] = useState<Rights>({ role: e.role, onlyMine: e.onlyMine, licenses: e.licenses });
  const [sure, setSure] = useState(false);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  async function act(f: () => Promise<void>) {
    setBusy(true);
    setError('');
    try {
      await f();
      onClose();
    } catch (e) {
      setError(errorText(e));
      setBusy(false);
    }
  }
  const save = () => company.change(e.userId, rights.role === 'operator' ? rights : { role: rights.role });
  return (
    <Sheet title={name} onClose={onClose}>
      {sure ? (
        <>
          <p class="note warn">{say.removeSure(name, props.companyName)}</p>
          <p class="error-text" role="alert">{error}</p>
          <div class="row">
            <button class="button danger" disabled={busy} onClick={() => void act(() => company.remove(e.userId))}>{say.removeNow}</button>
            <button class="button" onClick={() => { setSure(false); setError(''); }} ref={(b) => b?.focus()}>{say.keep}</button>
          </div>
        </>
      ) : (
        <form class="newcustomer" onSubmit={(ev) => { ev.preventDefault(); void act(save); }}>
          <p class="muted break">{e.email}</p>
          <RightsFields company={company.id} owner={props.owner} value={rights} onChange={setRights} />
          <p class="error-text" role="alert">{error}</p>
          <div class="row">
            <button class="button primary" disabled={busy}>{say.save}</button>
            <span class="space" />
            <button class="button" type="button" disabled={busy} onClick={() => { setSure(true); setError(''); }}>{say.remove(name)}</button>
          </div>
        </form>
      )}
    </Sheet>
  );
}
