// The page that the link of an invitation opens. The person makes an account, or
// accepts with the one that they have. The code is in the part of the address after #,
// which browsers send to no server; the page sends it in the body of its requests, which no
// proxy logs.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, request, type Rest } from '../api';
import { loadWho, me, signIn, signOut, signedIn } from '../session';
import { errorText } from '../socket';
import { Field } from '../ui/field';
import { words } from '../words';
import icon from '../icon.svg';

type Invited = Rest['InvitationView'];
const say = words.invitation;

export function Invitation(props: { code: string }) {
  const [invited, setInvited] = useState<Invited | null>(null);
  const [error, setError] = useState('');
  const { code } = props;
  useEffect(() => {
    request<Invited>('POST', '/v1/invitations/open', { code }, null).then(setInvited, (e) => setError(e instanceof ApiError && e.status === 404 ? say.none : errorText(e)));
  }, [code]);
  return (
    <main class="signin">
      {invited === null ? (
        <div class="card plain-card">
          <p class="brand"><img src={icon} alt="" /><span>{words.brand}</span></p>
          {error === '' ? <p class="muted" role="status">{words.loading}</p> : <p class="error-text" role="alert">{error}</p>}
          {error !== '' && <p><a href="#/live">{say.toConsole}</a></p>}
        </div>
      ) : <Accept invited={invited} code={code} />}
    </main>
  );
}

const at = '/v1/invitations/accept';

function Accept(props: { invited: Invited; code: string }) {
  const { invited } = props;
  const who = signedIn.value ? me.value : null;
  const [has, setHas] = useState(false); // an account
  const [renew, setRenew] = useState(false); // its password must be replaced
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const field = (name: string) => (form.has(name) ? String(form.get(name)) : undefined);
    const body = { code: props.code, name: field('name'), password: field('password'), newPassword: field('newPassword') };
    setBusy(true);
    setError('');
    try {
      if (who !== null) {
        await call('POST', at, body);
        await loadWho();
      } else {
        await request('POST', at, body, null);
        await signIn(invited.email, body.newPassword ?? body.password ?? '');
      }
      location.replace('#/live');
    } catch (e) {
      setBusy(false);
      if (e instanceof ApiError && e.status === 403 && who === null) setHas(true);
      if (e instanceof ApiError && 'newPassword' in e.fields && !renew) setRenew(true);
      else setError(errorText(e));
    }
  }

  const lead = say.lead(invited.companyName, words.account.role[invited.role] ?? invited.role);
  if (who !== null && who.email !== invited.email) {
    return (
      <div class="card plain-card">
        <h1>{say.title}</h1>
        <p>{lead}</p>
        <p class="note warn" role="alert">{say.another(invited.email, who.email)}</p>
        <button class="button" onClick={() => void signOut()}>{words.account.signOut}</button>
        <p><a href="#/live">{say.toConsole}</a></p>
      </div>
    );
  }
  const fresh = who === null && !has;
  return (
    <form class="card" onSubmit={(e) => void submit(e)} aria-label={say.title}>
      <p class="brand"><img src={icon} alt="" /><span>{words.brand}</span></p>
      <h1>{say.title}</h1>
      <p>{lead}</p>
      {who !== null && <p class="muted">{say.as(who.name, who.email)}</p>}
      {who === null && (
        <div class="field">
          <label for="email">{words.signIn.email}</label>
          <input class="input" id="email" type="email" autocomplete="username" readOnly value={invited.email} />
        </div>
      )}
      {fresh && <Field name="name" label={say.name} type="text" autocomplete="name" value={invited.name} />}
      {(who === null || renew) && (
        <Field
          key={fresh ? 'new' : 'own'} name="password" label={fresh ? say.newPassword : say.ownPassword} type="password"
          autocomplete={fresh ? 'new-password' : 'current-password'} hint={fresh ? say.rule : ''}
        />
      )}
      {renew && <p class="note warn" role="status">{say.renew}</p>}
      {renew && <Field name="newPassword" label={say.newPassword} type="password" autocomplete="new-password" hint={say.rule} />}
      <p class="error-text" role="alert">{error}</p>
      <button class="button primary" disabled={busy}>{busy ? say.busy : say.accept}</button>
      {who === null && (
        <button class="button quiet" type="button" onClick={() => { setHas(!has); setRenew(false); setError(''); }}>{has ? say.haveNone : say.haveOne}</button>
      )}
    </form>
  );
}
