// The second factor of the signed-in user: setting it up, and removing it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, type Rest } from '../api';
import { loadWho, me } from '../session';
import { again, errorText } from '../socket';
import { words } from '../words';

const say = words.factor;

type Stage = 'rest' | 'password' | 'remove' | { enrolment: Rest['TOTPEnrolment'] } | { recovery: string[] };

export function SecondFactor() {
  const [stage, setStage] = useState<Stage>('rest');
  const rest = () => setStage('rest');
  const state = me.value?.totp ?? 'off';
  const stale = useRef(false); // me does not know yet what was confirmed
  useEffect(() => () => {
    if (stale.current) void loadWho().catch(() => undefined);
  }, []);

  async function enrol(currentPassword: string) {
    setStage({ enrolment: await call<Rest['TOTPEnrolment']>('POST', '/v1/me/totp', { currentPassword }) });
  }
  async function confirm(code: string) {
    const made = await call<Rest['RecoveryCodes']>('POST', '/v1/me/totp/confirm', { code });
    stale.current = true;
    setStage({ recovery: made.recoveryCodes });
    again(); // the server has closed all sockets of the user
  }
  async function remove(code: string) {
    await call('DELETE', '/v1/me/totp', { code });
    await loadWho();
    rest();
  }

  return (
    <section class="factor" aria-label={say.title}>
      <h2>{say.title}</h2>
      {stage === 'rest' && (
        <>
          <p class={state === 'required' ? 'note warn' : 'muted'}>{say[state]}</p>
          {state === 'on' ? <button class="button small" onClick={() => setStage('remove')}>{say.remove}</button>
            : <button class="button small" onClick={() => setStage('password')}>{say.setUp}</button>}
        </>
      )}
      {stage === 'password' && <Ask key="password" name={say.password} type="password" complete="current-password" submit={say.next} send={enrol} onCancel={rest} />}
      {stage === 'remove' && <Ask key="remove" name={say.removeCode} complete="one-time-code" submit={say.removeNow} send={remove} onCancel={rest} />}
      {typeof stage === 'object' && 'enrolment' in stage && (
        <Ask key="confirm" name={say.code} complete="one-time-code" submit={say.confirm} send={confirm} onCancel={rest}>
          <p>{say.scan}</p>
          <img src={stage.enrolment.picture} alt={say.picture} />
          <p>{say.key}: <code>{stage.enrolment.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code></p>
        </Ask>
      )}
      {typeof stage === 'object' && 'recovery' in stage && (
        <>
          <p class="note">{say.confirmed}</p>
          <ul class="plain codes">{stage.recovery.map((c) => <li key={c}><code>{c}</code></li>)}</ul>
          <button class="button primary small" onClick={() => { rest(); void loadWho(); }}>{say.kept}</button>
        </>
      )}
    </section>
  );
}

interface Asking {
  name: string;
  type?: 'password';
  complete: 'current-password' | 'one-time-code';
  submit: string;
  send: (value: string) => Promise<void>;
  onCancel: () => void;
  children?: ComponentChildren;
}

/** Ask is a form of one field, which shows the error of what it sends. */
function Ask(props: Asking) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const value = String(new FormData(e.currentTarget as HTMLFormElement).get('value'));
    setBusy(true);
    setError('');
    try {
      await props.send(value);
    } catch (e) {
      setError(errorText(e));
      setBusy(false);
    }
  }
  return (
    <form class="factor" onSubmit={(e) => void submit(e)}>
      {props.children}
      <label class="field">
        <span class="label">{props.name}</span>
        <input class="input" name="value" type={(props.type ?? 'text') as 'text'} autocomplete={props.complete} required ref={(input) => input?.focus()} />
      </label>
      <p class="error-text" role="alert">{error}</p>
      <p class="row">
        <button class="button primary small" disabled={busy}>{props.submit}</button>
        <button class="button small" type="button" onClick={props.onCancel}>{say.cancel}</button>
      </p>
    </form>
  );
}
