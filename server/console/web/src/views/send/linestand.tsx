// The state of the line in a sentence, with the possible actions, always in sight
// above the chats.
import './line.css';
import { useState } from 'preact/hooks';
import { call } from '../../api';
import { path } from '../../route';
import { errorText } from '../../socket';
import { MoreIcon } from '../../ui/icons';
import { words } from '../../words';
import type { LineState } from './linestate';
import { linePath, mayPair } from './line';
import { LineSheet } from './linesheet';
import { PairSheet } from './pairsheet';
import { Risk } from './risk';
import { isAccount, type Status } from './stand';
import { Standings } from './standings';
import { dayAndTime } from './time';

const say = words.send.stand;

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
        {mayPair(line) && status.via !== 'bridge' && (
          <button class="button small quiet icon" aria-label={say.manage} title={say.manage} aria-haspopup="dialog" onClick={() => setOpen('manage')}><MoreIcon /></button>
        )}
      </div>
      {(account || status.state === 'not_set_up') && status.state !== 'connected' && <p class="muted small">{status.detail} {status.bannedUntil !== null && say.until(dayAndTime(status.bannedUntil))}</p>}
      <Risk status={status} />
      {error !== '' && <p class="error-text" role="alert">{error}</p>}
      {open === 'pair' && <PairSheet standing={standing} onClose={close} onPaired={(l) => { close(); location.hash = path('send', l.licenseId, l.messenger); }} />}
      {open === 'manage' && <LineSheet standing={standing} status={status} onClose={close} />}
    </section>
  );
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
