// What a company requires of its people's accounts. Owners change it.
import { useState } from 'preact/hooks';
import { me } from '../../session';
import { errorText } from '../../socket';
import { words } from '../../words';
import type { Company } from './company';

const say = words.people;

export function Security(props: { company: Company; name: string; owner: boolean }) {
  const { company, name, owner } = props;
  const [sure, setSure] = useState(false);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const required = company.requireTotp.value;
  const without = me.value?.totp !== 'on'; // an owner who requires it must have one
  async function require(it: boolean) {
    setBusy(true);
    setError('');
    try {
      await company.require(it);
      setSure(false);
    } catch (e) {
      setError(errorText(e));
    }
    setBusy(false);
  }
  return (
    <section class="card pad-all" aria-label={say.security} data-required={required}>
      <h2>{say.security}</h2>
      <p>{required ? say.required(name) : say.notRequired(name)}</p>
      {!owner && <p class="muted small">{say.onlyOwners}</p>}
      {owner && !required && without && <p class="muted small">{say.ownFirst}</p>}
      {sure && <p class="note warn">{say.requireSure}</p>}
      <p class="error-text" role="alert">{error}</p>
      {owner && (
        <div class="row">
          {required && <button class="button small" disabled={busy} onClick={() => void require(false)}>{say.release}</button>}
          {!required && !sure && <button class="button small" disabled={without} onClick={() => setSure(true)}>{say.require}</button>}
          {!required && sure && (
            <>
              <button class="button small danger" disabled={busy} onClick={() => void require(true)}>{say.requireNow}</button>
              <button class="button small" onClick={() => { setSure(false); setError(''); }}>{say.keep}</button>
            </>
          )}
        </div>
      )}
    </section>
  );
}
