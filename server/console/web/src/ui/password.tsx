// The form in which people change their password.
import { useState } from 'preact/hooks';
import { call } from '../api';
import { signedIn } from '../session';
import { errorText, start, stop } from '../socket';
import { words } from '../words';
import { Field } from './field';

const say = words.password;

export function ChangePassword() {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState({ error: '', done: false });

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    setBusy(true);
    setSaid({ error: '', done: false });
    stop(); // the server closes all sockets of the user, also when the change is this page's
    try {
      await call('PATCH', '/v1/me', { currentPassword: String(form.get('password')), password: String(form.get('newPassword')) });
      setOpen(false);
      setSaid({ error: '', done: true });
    } catch (e) {
      setSaid({ error: errorText(e), done: false });
    }
    if (signedIn.peek()) start();
    setBusy(false);
  }

  if (!open) {
    return (
      <>
        <button class="button" onClick={() => setOpen(true)}>{say.title}</button>
        {said.done && <p class="muted" role="status">{say.done}</p>}
      </>
    );
  }
  return (
    <form class="change-password" onSubmit={(e) => void submit(e)} aria-label={say.title}>
      <Field name="password" label={say.current} type="password" autocomplete="current-password" />
      <Field name="newPassword" label={say.next} type="password" autocomplete="new-password" hint={words.invitation.rule} />
      <p class="muted small">{say.effect}</p>
      <p class="error-text" role="alert">{said.error}</p>
      <button class="button primary" disabled={busy}>{say.submit}</button>
    </form>
  );
}
