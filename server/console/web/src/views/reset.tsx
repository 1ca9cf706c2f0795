// The page for a new password, which the link of `chatcast user reset-password` opens.
// The code is in the part of the address after #, so no server or proxy logs it.
import { useState } from 'preact/hooks';
import { request } from '../api';
import { errorText } from '../socket';
import { words } from '../words';
import icon from '../icon.svg';

export function Reset({ code, onDone }: { code: string; onDone: () => void }) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const password = String(new FormData(e.currentTarget as HTMLFormElement).get('password'));
    setBusy(true);
    setError('');
    try {
      await request('POST', '/v1/password/reset', { code, password }, null);
      onDone();
    } catch (e) {
      setError(errorText(e));
      setBusy(false);
    }
  }

  return (
    <main class="signin">
      <form class="card" onSubmit={(e) => void submit(e)} aria-label={words.reset.title}>
        <p class="brand"><img src={icon} alt="" /><span>{words.brand}</span></p>
        <h1>{words.reset.title}</h1>
        <p class="muted">{words.reset.lead}</p>
        <div class="field">
          <label for="password">{words.reset.password}</label>
          <input class="input" id="password" name="password" type="password" autocomplete="new-password" required minLength={8} maxLength={72} />
        </div>
        <p class="error-text" role="alert">{error}</p>
        <button class="button primary" disabled={busy}>{words.reset.submit}</button>
      </form>
    </main>
  );
}
