// The sheet of a line for owners and admins: how it stands, whether it may write to new
// people, its settings, and the way to unlink its phone.
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../../api';
import { phone } from '../../naming';
import { errorText } from '../../socket';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { linePath } from './line';
import { Risk } from './risk';
import { Settings } from './settings';
import { isAccount, type Status } from './stand';
import { Standings } from './standings';
import type { Standing } from './standing';

const say = words.send.stand;
const unlinked = ['logged_out', 'pairing', 'passkey', 'not_set_up'];

export function LineSheet(props: { standing: Standing; status: Status; onClose: () => void }) {
  const { standing, status, onClose } = props;
  const [asked, setAsked] = useState(false);
  if (asked) return <Unlink standing={standing} status={status} onClose={onClose} />;
  return (
    <Sheet title={say.line(standing.line.label)} tall onClose={onClose}>
      <section class="line-part">
        <p class="stands"><Standings status={status} /></p>
        {status.state !== 'connected' && <p class="muted small">{status.detail}</p>}
        <Risk status={status} whole />
      </section>
      <Settings line={standing.line} />
      {isAccount(status) && !unlinked.includes(status.state) && (
        <section class="line-part">
          <div class="row"><button class="button" onClick={() => setAsked(true)}>{say.unlink.ask}</button></div>
        </section>
      )}
    </Sheet>
  );
}

/** Unlink unlinks the line's account when that is confirmed. */
function Unlink(props: { standing: Standing; status: Status; onClose: () => void }) {
  const { standing, status, onClose } = props;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const number = status.phone === null ? '' : phone(status.phone);
  const stay = useRef<HTMLButtonElement>(null);
  useEffect(() => stay.current?.focus(), []);
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
