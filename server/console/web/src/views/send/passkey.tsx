// The step of a pairing at which WhatsApp asks for the account's passkey. Browsers let it
// be used only on WhatsApp's own page: the extension does so in two clicks; without it, the
// person runs a script there and pastes the answer.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { local } from '../../base';
import { currentToken } from '../../session';
import { CopyButton } from '../../ui/copy';
import { words } from '../../words';
import { assertionIn, extensionFits, extensionThere, NoPasskey, scriptFor, useByExtension } from './extension';
import { Left } from './left';
import type { PairingRun } from './pairing';

const say = words.send.pair.passkey;

export function PasskeyStep(props: { run: PairingRun }) {
  const { run } = props;
  const shown = run.passkey.value;
  if (shown === null) return null;
  const { options, code } = shown.step;
  return (
    <div class="passkey" data-test="passkey" data-step={options !== null ? 'sign' : code !== null ? 'code' : 'checking'}>
      {options !== null ? <Sign run={run} key={options.challenge} /> : code !== null ? <Compare run={run} code={code} /> : <p role="status">{say.checking}</p>}
      {run.error.value !== '' && <p class="error-text" role="alert">{run.error.value}</p>}
      <div class="row">
        <Left until={shown.expiresAt} text={say.left} />
        <button class="button small" onClick={() => void run.cancelPasskey()}>{say.cancel}</button>
      </div>
    </div>
  );
}

function Sign(props: { run: PairingRun }) {
  const { run } = props;
  const [there] = useState(extensionThere);
  return (
    <>
      <p>{say.lead}</p>
      {there ? <ByExtension run={run} /> : extensionFits() ? (
        <p class="note">{say.extension} <a href={local('/passkey-extension.zip')} download>{say.get}</a></p>
      ) : <p class="note">{say.insecure}</p>}
      <details open={!there}>
        <summary>{there ? say.byHand : say.withoutIt}</summary>
        <ByHand run={run} />
      </details>
    </>
  );
}

function ByExtension(props: { run: PairingRun }) {
  const { run } = props;
  const [busy, setBusy] = useState(false);
  const end = useRef(new AbortController());
  useEffect(() => () => end.current.abort(), []);
  async function use() {
    setBusy(true);
    run.error.value = '';
    try {
      await useByExtension(run.line, currentToken(), end.current.signal);
    } catch (e) {
      if (!end.current.signal.aborted && e instanceof NoPasskey) run.error.value = say.notUsed[e.why](e.message);
    }
    setBusy(false);
  }
  return (
    <>
      <button class="button primary" disabled={busy} autofocus onClick={() => void use()}>{busy ? say.using : say.use}</button>
      <p class="muted small">{say.confirm}</p>
    </>
  );
}

function ByHand(props: { run: PairingRun }) {
  const { run } = props;
  const id = useId();
  const [error, setError] = useState('');
  const step = run.passkey.value?.step;
  if (step === undefined || step.options === null) return null;
  const options = step.options;
  function submit(e: SubmitEvent) {
    e.preventDefault();
    const assertion = assertionIn(String(new FormData(e.currentTarget as HTMLFormElement).get('answer')));
    if (assertion === undefined) return setError(say.noAnswer);
    setError('');
    void run.answerPasskey({ assertion });
  }
  return (
    <form class="by-hand" onSubmit={submit}>
      <ol class="steps">
        <li>{say.open} <a href={step.origin} target="_blank" rel="noreferrer">{step.origin.replace('https://', '')}</a></li>
        <li>{say.run} <CopyButton text={() => scriptFor(options)} label={say.script} /></li>
        <li><label for={id}>{say.paste}</label></li>
      </ol>
      <textarea class="input code" id={id} name="answer" rows={3} required spellcheck={false} aria-invalid={error !== ''} aria-describedby={`${id}f`} />
      <p class="error-text" id={`${id}f`} role="alert">{error}</p>
      <button class="button">{say.send}</button>
    </form>
  );
}

function Compare(props: { run: PairingRun; code: string }) {
  const { run, code } = props;
  return (
    <>
      <p>{say.compare}</p>
      <p class="pair-code" role="group" aria-label={say.code} data-test="passkey-code">{code}</p>
      <button class="button primary" autofocus onClick={() => void run.answerPasskey({ code })}>{say.same}</button>
    </>
  );
}
