// The sign-in page.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../api';
import { ended, signIn } from '../session';
import { errorText } from '../socket';
import { words } from '../words';
import icon from '../icon.svg';

export function SignIn({ changed }: { changed?: boolean }) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(false);
  const [coded, setCoded] = useState(false); // the account needs a code
  const first = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  const code = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  useEffect(() => code.current?.focus(), [coded]);

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const typed = String(form.get('code') ?? '').trim();
    setBusy(true);
    setError('');
    try {
      await signIn(String(form.get('email')).trim(), String(form.get('password')), typed);
    } catch (e) {
      const aboutCode = e instanceof ApiError && 'code' in e.fields;
      setError(aboutCode ? codeError(typed) : e instanceof ApiError && e.status === 403 && /password is wrong/.test(e.message) ? words.signIn.wrong : errorText(e));
      setBusy(false);
      if (aboutCode) setCoded(true);
      const again = aboutCode ? code.current : password.current; // the disabled button has lost the focus
      again?.focus();
      again?.select();
    }
  }

  const why = ended.value;
  return (
    <main class="signin">
      <form class="card" onSubmit={(e) => void submit(e)} aria-label={words.signIn.title}>
        <p class="brand"><img src={icon} alt="" /><span>{words.brand}</span></p>
        <h1>{words.signIn.title}</h1>
        <p class="muted">{words.signIn.lead}</p>
        {changed ? <p class="note" role="status">{words.signIn.changed}</p>
          : why !== '' && <p class="note warn" role="status">{words.signIn.ended[why]}</p>}
        <div class="field">
          <label for="email">{words.signIn.email}</label>
          <input ref={first} class="input" id="email" name="email" type="email" autocomplete="username" required maxLength={254} />
        </div>
        <div class="field">
          <label for="password">{words.signIn.password}</label>
          <input ref={password} class="input" id="password" name="password" type={(shown ? 'text' : 'password') as 'password'} autocomplete="current-password" required />
          <label class="check"><input type="checkbox" checked={shown} onChange={(e) => setShown(e.currentTarget.checked)} /> {words.signIn.show}</label>
        </div>
        {coded && (
          <div class="field">
            <label for="code">{words.signIn.code}</label>
            <input ref={code} class="input" id="code" name="code" autocomplete="one-time-code" required maxLength={30} aria-describedby="code-hint" />
            <p class="muted small" id="code-hint">{words.signIn.codeHint}</p>
          </div>
        )}
        <p class="error-text" role="alert">{error}</p>
        <button class="button primary" disabled={busy}>{busy ? words.signIn.busy : words.signIn.submit}</button>
        <p class="muted small">{words.signIn.firstTime}</p>
      </form>
    </main>
  );
}

function codeError(typed: string): string {
  return typed === '' ? words.signIn.codeNeeded : words.signIn.codeWrong;
}
