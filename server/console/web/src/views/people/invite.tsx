// The invitation of a person: what they may do, and then the link, which is shown once.
import { useId, useState } from 'preact/hooks';
import type { Rest } from '../../api';
import { errorText } from '../../socket';
import { CopyButton } from '../../ui/copy';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import type { Company } from './company';
import { nothing, RightsFields, type Rights } from './rights';

const say = words.people;

export function InviteSheet(props: { company: Company; name: string; owner: boolean; onClose: () => void }) {
  const { company, onClose } = props;
  const id = useId();
  const [rights, setRights] = useState<Rights>(nothing);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState<{ email: string; invitation: Rest['InvitationLink'] } | null>(null);

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const email = String(form.get('email')).trim();
    setBusy(true);
    setError('');
    try {
      const invitation = await company.invite({ email, name: String(form.get('name')).trim(), ...rights, licenses: rights.role === 'operator' ? rights.licenses : [] });
      setMade({ email, invitation });
    } catch (e) {
      setError(errorText(e));
    }
    setBusy(false);
  }

  if (made !== null) {
    const until = new Date(made.invitation.expires * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
    return (
      <Sheet title={say.made(made.email)} onClose={onClose}>
        <p class="note">{say.once(until)}</p>
        <div class="field">
          <label for={`${id}l`}>{say.link}</label>
          <input class="input mono" id={`${id}l`} readOnly value={made.invitation.link} data-test="invitation-link" onFocus={(e) => e.currentTarget.select()} ref={(e) => e?.focus()} />
        </div>
        <div class="row">
          <CopyButton label={say.copyLink} text={() => made.invitation.link} />
          <button class="button small" onClick={onClose}>{say.done}</button>
        </div>
      </Sheet>
    );
  }
  return (
    <Sheet title={say.inviteTitle(props.name)} onClose={onClose}>
      <form class="newcustomer" onSubmit={(e) => void submit(e)}>
        <div class="field"><label for={`${id}e`}>{say.email}</label><input class="input" id={`${id}e`} name="email" type="email" autofocus required maxLength={254} autocomplete="off" /></div>
        <div class="field"><label for={`${id}n`}>{say.name}</label><input class="input" id={`${id}n`} name="name" maxLength={255} autocomplete="off" /></div>
        <RightsFields company={company.id} owner={props.owner} value={rights} onChange={setRights} />
        <p class="error-text" role="alert">{error}</p>
        <button class="button primary" disabled={busy}>{say.make}</button>
      </form>
    </Sheet>
  );
}
