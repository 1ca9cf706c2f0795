// The sheet to pair an account: a QR code, or a code to type, instructions, and how
// long the code is valid.
import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { route } from '../../route';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { Left } from './left';
import type { Line } from './line';
import { PairingRun } from './pairing';
import { PasskeyStep } from './passkey';
import type { Standing } from './standing';

const say = words.send.pair;

export function PairSheet(props: { standing: Standing; onClose: () => void; onPaired: (line: Line) => void }) {
  const run = useMemo(() => new PairingRun(props.standing), []);
  useEffect(() => () => run.close(), []);
  const phase = run.phase.value;
  useEffect(() => {
    if (phase === 'connected') props.onPaired(props.standing.line);
  }, [phase]);
  useEffect(() => {
    const at = location.hash;
    return route.subscribe(() => location.hash !== at && props.onClose()); // back leads to another page
  }, []);
  if (phase === 'passkey') return <Sheet title={say.passkey.title} onClose={props.onClose}><PasskeyStep run={run} /></Sheet>;
  return (
    <Sheet title={say.title} onClose={props.onClose}>
      <div class="segments" role="group" aria-label={say.ways}>
        <button class="segment" aria-pressed={run.way.value === 'qr'} onClick={() => run.way.peek() !== 'qr' && void run.byQR()}>{say.qr}</button>
        <button class="segment" aria-pressed={run.way.value === 'code'} onClick={() => run.way.peek() !== 'code' && run.toCode()}>{say.phone}</button>
      </div>
      <div class="pairing" data-phase={phase}>
        <Code run={run} />
        {run.way.value === 'qr' ? <Steps steps={say.scan} /> : phase !== 'number' && <Steps steps={say.type} />}
      </div>
      <p class="muted small">{say.safe}</p>
    </Sheet>
  );
}

function Steps(props: { steps: string[] }) {
  return <ol class="steps">{props.steps.map((s) => <li key={s}>{s}</li>)}</ol>;
}

function Code(props: { run: PairingRun }) {
  const { run } = props;
  const phase = run.phase.value;
  const shown = run.shown.value;
  if (phase === 'number') return <PhoneForm run={run} />;
  if (phase === 'over' || phase === 'failed') {
    return (
      <div class="code-box" role="alert">
        <p class={phase === 'failed' ? 'error-text' : ''}>{phase === 'failed' ? run.error.value : run.why.value || say.over}</p>
        <button class="button primary" onClick={() => (run.way.peek() === 'qr' ? void run.byQR() : run.toCode())}>{say.again}</button>
      </div>
    );
  }
  if (phase !== 'showing' || shown === null) {
    const text = phase === 'asking' || phase === 'showing' ? say.asking : phase === 'reconnecting' ? say.reconnecting : say.scanned;
    return <div class="code-box" role="status"><p>{text}</p></div>;
  }
  if (shown.code !== '') {
    return (
      <div class="code-box">
        <p class="pair-code" aria-label={say.code} role="group" data-test="pair-code">{shown.code}</p>
        <Left until={shown.expiresAt} text={say.valid} />
        <button class="button small" onClick={() => { run.phase.value = 'number'; }}>{say.other}</button>
      </div>
    );
  }
  return (
    <div class="code-box">
      <img class="qr" src={shown.picture} alt={say.picture} width="264" height="264" data-test="qr" />
      <Left until={shown.expiresAt} text={say.renews} />
    </div>
  );
}

function PhoneForm(props: { run: PairingRun }) {
  const { run } = props;
  const id = useId();
  const [error, setError] = useState('');
  function submit(e: SubmitEvent) {
    e.preventDefault();
    const digits = String(new FormData(e.currentTarget as HTMLFormElement).get('phone')).replace(/\D/g, '');
    if (!/^[1-9]\d{4,14}$/.test(digits)) return setError(say.numberError);
    setError('');
    void run.byPhone(digits);
  }
  return (
    <form class="pair-phone" onSubmit={submit}>
      <div class="field">
        <label for={id}>{say.number}</label>
        <input class="input" id={id} name="phone" type="tel" required maxLength={32} autocomplete="tel" aria-invalid={error !== ''} aria-describedby={`${id}f`} />
        <p class="error-text" id={`${id}f`} role="alert">{error || run.error.value}</p>
      </div>
      <button class="button primary">{say.ask}</button>
    </form>
  );
}
