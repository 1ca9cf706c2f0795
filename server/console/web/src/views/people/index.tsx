// The people of the user's companies. Owners and admins invite, change and remove
// them, and make keys for programs; everybody may leave.
import './people.css';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { call, type Rest } from '../../api';
import { path, route } from '../../route';
import { loadWho, me } from '../../session';
import { errorText, start, stop } from '../../socket';
import { PeopleIcon, PlusIcon } from '../../ui/icons';
import { leave as signOut } from '../../ui/leave';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { Company } from './company';
import { EmployeeRow, EmployeeSheet } from './employee';
import { InviteSheet } from './invite';
import { Keys } from './keys';
import { Security } from './security';

const say = words.people;
type Mine = Rest['MyCompany'];

export function People() {
  const companies = me.value?.companies ?? [];
  const asked = Number(route.value.rest[0] ?? 0);
  const company = companies.find((c) => c.id === asked) ?? companies[0];
  if (company === undefined) return <div class="empty"><PeopleIcon /><h1>{say.none.title}</h1><p class="muted">{say.none.lead}</p></div>;
  return (
    <section class="view people" data-test="people">
      <header class="row">
        <h1>{words.nav.people}</h1>
        {companies.length > 1 && (
          <select class="input" aria-label={say.company} value={String(company.id)} onChange={(e) => (location.hash = path('people', e.currentTarget.value))}>
            {companies.map((c) => <option key={c.id} value={String(c.id)}>{c.name}</option>)}
          </select>
        )}
      </header>
      {company.role === 'operator' ? <p class="muted">{say.mine(words.account.role[company.role] ?? company.role, company.name)}</p> : <Managed key={company.id} mine={company} />}
      <Leave key={`${company.id} leave`} mine={company} />
    </section>
  );
}

/** Managed is the company as its owners and admins see it. */
function Managed(props: { mine: Mine }) {
  const { mine } = props;
  const company = useMemo(() => new Company(mine.id), []);
  useEffect(() => () => company.close(), []);
  const [open, setOpen] = useState<'' | 'invite' | number>(''); // a number: of an employee
  const owner = mine.role === 'owner';
  const list = company.employees.value;
  const chosen = list.find((e) => e.userId === open);
  if (company.state.value === 'loading') return <p class="muted" role="status">{words.loading}</p>;
  if (company.state.value === 'failed') {
    return (
      <div class="note bad row" role="alert">
        <p>{say.failed} {company.error.value}</p><button class="button small" onClick={() => void company.read()}>{words.retry}</button>
      </div>
    );
  }
  return (
    <>
      <div class="row">
        <p class="muted lead">{say.lead(mine.name)}</p>
        <button class="button primary" onClick={() => setOpen('invite')}><PlusIcon />{say.invite}</button>
      </div>
      <section class="card" aria-label={say.list}>
        <ul class="plain">
          {list.map((e) => <EmployeeRow key={e.userId} e={e} mayChange={owner || e.role !== 'owner'} onOpen={() => setOpen(e.userId)} />)}
        </ul>
        {list.length === 1 && company.invitations.value.length === 0 && <p class="muted pad">{say.alone}</p>}
      </section>
      <Invited company={company} />
      <Keys company={mine.id} name={mine.name} />
      <Security company={company} name={mine.name} owner={owner} />
      {open === 'invite' && <InviteSheet company={company} name={mine.name} owner={owner} onClose={() => setOpen('')} />}
      {chosen !== undefined && <EmployeeSheet key={chosen.userId} e={chosen} company={company} companyName={mine.name} owner={owner} onClose={() => setOpen('')} />}
    </>
  );
}

/** Invited are the invitations that nobody has accepted yet. */
function Invited(props: { company: Company }) {
  const { company } = props;
  const [sure, setSure] = useState(0);
  const [error, setError] = useState('');
  async function withdraw(id: number) {
    if (sure !== id) return setSure(id);
    setError('');
    try {
      await company.withdraw(id);
    } catch (e) {
      setError(errorText(e));
    }
    setSure(0);
  }
  const list = company.invitations.value;
  return (
    <section class="card" aria-label={say.invited}>
      <h2 class="pad">{say.invited}</h2>
      {list.length === 0 && <p class="muted pad">{say.noInvitations}</p>}
      <ul class="plain">
        {list.map((i) => (
          <li key={i.id} class="person" data-invitation={i.email}>
            <div class="who">
              <p class="row tight"><strong class="break">{i.email}</strong><span class="chip">{words.account.role[i.role] ?? i.role}</span></p>
              <p class="muted small">{say.expires(new Date(i.expires * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }))}</p>
            </div>
            <button class={sure === i.id ? 'button small danger' : 'button small'} aria-label={sure === i.id ? undefined : say.withdrawOf(i.email)} onBlur={() => setSure(0)} onClick={() => void withdraw(i.id)}>{sure === i.id ? say.withdrawSure : say.withdraw}</button>
          </li>
        ))}
      </ul>
      <p class="error-text pad" role="alert">{error}</p>
    </section>
  );
}

/** Leave ends the user's own employment, when that is confirmed. */
function Leave(props: { mine: Mine }) {
  const { mine } = props;
  const [open, setOpen] = useState(false);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  async function leave() {
    setBusy(true);
    setError('');
    try {
      await call('DELETE', `/v1/companies/${mine.id}/employees/${me.peek()!.id}`);
      if ((me.peek()?.companies.length ?? 0) < 2) return void signOut(); // nobody is signed in who works for no company
      await loadWho();
      stop(); // the channels are others now
      start();
      location.hash = path('people');
    } catch (e) {
      setError(errorText(e));
      setBusy(false);
    }
  }
  return (
    <>
      <p><button class="button" onClick={() => setOpen(true)}>{say.leave(mine.name)}</button></p>
      {open && (
        <Sheet title={say.leaveTitle(mine.name)} onClose={() => setOpen(false)}>
          <p class="note warn">{say.leaveSure(mine.name)}</p>
          <p class="error-text" role="alert">{error}</p>
          <div class="row">
            <button class="button danger" disabled={busy} onClick={() => void leave()}>{say.leaveNow}</button>
            <button class="button" onClick={() => setOpen(false)}>{say.stay}</button>
          </div>
        </Sheet>
      )}
    </>
  );
}
