// The state of the line in a sentence, with the possible actions, always in sight
// above the chats.
import './line.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../../api';
import { phone } from '../../naming';
import { path } from '../../route';
import { errorText } from '../../socket';
import { MoreIcon } from '../../ui/icons';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import type { LineState } from './linestate';
import { linePath, mayPair } from './line';
import { PairSheet } from './pairsheet';
import { isAccount, riskOf, type Status } from './stand';
import type { Standing } from './standing';
import { dayAndTime } from './time';

const say = words.send.stand;
const tones: Record<string, string> = { connected: 'good', connecting: 'warn pulse', disconnected: 'warn pulse', pairing: 'warn pulse', passkey: 'warn pulse', not_set_up: '' };

export function LineStand(props: { state: LineState }) {
  const { standing, line } = props.state;
  const status = standing.status.value;
  const [open, setOpen] = useState<'' | 'pair' | 'manage'>('');
  const [error, setError] = useState('');
  const close = () => setOpen('');
  if (status === null) return null;

  async function reconnect() {
    setError('');
    try {
      await call('POST', `${linePath(line)}/connect`);
    } catch (e) {
      setError(errorText(e));
    }
    void standing.read();
  }
  const account = isAccount(status);
  const todo = mayPair(line) ? actionOf(status) : '';
  return (
    <section class="stand" aria-label={say.label} data-state={status.via === 'bridge' ? 'bridge' : status.state}>
      <div class="row">
        <p class="standing" role="status"><Standings status={status} /></p>
        {(todo === 'pair' || todo === 'show' || todo === 'pairAgain') && <button class="button small" onClick={() => setOpen('pair')}>{say[todo]}</button>}
        {todo === 'reconnect' && <button class="button small" onClick={() => void reconnect()}>{say.reconnect}</button>}
        {account && mayPair(line) && !['logged_out', 'pairing', 'passkey'].includes(status.state) && (
          <button class="button small quiet icon" aria-label={say.manage} title={say.manage} aria-haspopup="dialog" onClick={() => setOpen('manage')}><MoreIcon /></button>
        )}
      </div>
      {(account || status.state === 'not_set_up') && status.state !== 'connected' && <p class="muted small">{status.detail} {status.bannedUntil !== null && say.until(dayAndTime(status.bannedUntil))}</p>}
      {status.restrictedUntil !== null && status.restrictedUntil * 1000 > Date.now() && <p class="muted small" data-restricted>{say.restricted(dayAndTime(status.restrictedUntil))}</p>}
      <Risk status={status} />
      {error !== '' && <p class="error-text" role="alert">{error}</p>}
      {open === 'pair' && <PairSheet standing={standing} onClose={close} onPaired={(l) => { close(); location.hash = path('send', l.licenseId, l.messenger); }} />}
      {open === 'manage' && <ManageSheet standing={standing} status={status} onClose={close} />}
    </section>
  );
}

/** Risk tells why the account should not write to new people now, or only slowly. */
function Risk(props: { status: Status }) {
  const risk = riskOf(props.status);
  if (risk === undefined) return null;
  return (
    <details class="risk small" data-rating={risk.rating}>
      <summary><span class={`dot ${risk.rating === 'stop' ? 'bad' : 'warn'}`} /> {say.rating[risk.rating]}</summary>
      <ul class="muted">{risk.reasons.map((r) => <li key={r.code}>{r.message}</li>)}</ul>
    </details>
  );
}

function Standings(props: { status: Status }) {
  const { status } = props;
  if (status.via === 'bridge') return <><span class="dot" /> {say.bridge}</>; // not green: the server cannot know whether it runs
  return <><span class={`dot ${tones[status.state] ?? 'bad'}`} /> {say.state[status.state] ?? status.state}{status.phone !== null && <> · <span class="number">{phone(status.phone)}</span></>}</>;
}

/**
 * actionOf is the action that makes messages go through again; empty: none, or the
 * line recovers by itself.
 */
function actionOf(s: Status): '' | 'pair' | 'pairAgain' | 'show' | 'reconnect' {
  if (s.via === 'bridge' || s.state === 'not_set_up') return 'pair';
  if (s.state === 'pairing' || s.state === 'passkey') return 'show';
  if (s.state === 'logged_out') return 'pairAgain';
  return s.state === 'replaced' || s.state === 'outdated' ? 'reconnect' : '';
}

/** ManageSheet shows the line's account, and unlinks it when that is confirmed. */
function ManageSheet(props: { standing: Standing; status: Status; onClose: () => void }) {
  const { standing, status, onClose } = props;
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const number = status.phone === null ? '' : phone(status.phone);
  const stay = useRef<HTMLButtonElement>(null);
  useEffect(() => stay.current?.focus(), [asked]);
  async function unlink() {
    setBusy(true);
    setError('');
    try {
      await call('DELETE', `${linePath(standing.line)}/session`);
      await standing.read();
      onClose();
    } catch (e) {
      setError(errorText(e));
      setBusy(false);
    }
  }
  if (!asked) {
    return (
      <Sheet title={say.line(standing.line.label)} onClose={onClose}>
        <p class="stands"><Standings status={status} /></p>
        <p class="muted">{status.detail}</p>
        <div class="row"><button class="button" onClick={() => setAsked(true)}>{say.unlink.ask}</button></div>
      </Sheet>
    );
  }
  return (
    <Sheet title={say.unlink.title(number)} onClose={onClose}>
      <p>{say.unlink.lead(standing.line.label)}</p>
      {error !== '' && <p class="error-text" role="alert">{error}</p>}
      <div class="row">
        <button class="button danger" disabled={busy} onClick={() => void unlink()}>{say.unlink.sure}</button>
        <button ref={stay} class="button" onClick={onClose}>{say.unlink.stay}</button>
      </div>
    </Sheet>
  );
}
