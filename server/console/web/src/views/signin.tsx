// The sign-in page.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { ended, signIn } from '../session';
import { errorText } from '../socket';
import { words } from '../words';
import icon from '../icon.svg';

export function SignIn() {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    setBusy(true);
    setError('');
    try {
      await signIn(String(form.get('email')).trim(), String(form.get('password')));
    } catch (e) {
      setError(e instanceof ApiError && e.status === 403 ? words.signIn.wrong : errorText(e));
      setBusy(false);
      password.current?.focus(); // to type it again; the disabled button has lost the focus
      password.current?.select();
    }
  }

  const why = ended.value;
  return (
    <main class="signin">
      <form class="card" onSubmit={(e) => void submit(e)} aria-label={words.signIn.title}>
        <p class="brand"><img src={icon} alt="" /><span>{words.brand}</span></p>
        <h1>{words.signIn.title}</h1>
        <p class="muted">{words.signIn.lead}</p>
        {why !== '' && <p class="note warn" role="status">{words.signIn.ended[why]}</p>}
        <div class="field">
          <label for="email">{words.signIn.email}</label>
          <input ref={first} class="input" id="email" name="email" type="email" autocomplete="username" required maxLength={254} />
        </div>
        <div class="field">
          <label for="password">{words.signIn.password}</label>
          <input ref={password} class="input" id="password" name="password" type={(shown ? 'text' : 'password') as 'password'} autocomplete="current-password" required />
          <label class="check"><input type="checkbox" checked={shown} onChange={(e) => setShown(e.currentTarget.checked)} /> {words.signIn.show}</label>
        </div>
        <p class="error-text" role="alert">{error}</p>
        <button class="button primary" disabled={busy}>{busy ? words.signIn.busy : words.signIn.submit}</button>
        <p class="muted small">{words.signIn.firstTime}</p>
      </form>
    </main>
  );
}
