// The keys with which programs use the API: owners and admins make, see and revoke them.
import { useEffect, useState } from 'preact/hooks';
import { call, type Rest } from '../../api';
import { errorText } from '../../socket';
import { PlusIcon } from '../../ui/icons';
import { words } from '../../words';
import { KeySheet } from './keysheet';
import { lineName } from './linename';

const say = words.keys;
type Key = Rest['ApiKey'];

const shortDate = (time: number) => new Date(time * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function Keys(props: { company: number; name: string }) {
  const [list, setList] = useState<Key[] | null>(null); // null: not read yet
  const [next, setNext] = useState<string | null>(null);
  const [sure, setSure] = useState(0); // the key that a second click revokes
  const [open, setOpen] = useState(false);
  const [error, setError] = useState('');

  async function read(after: string | null) {
    setError('');
    try {
      const page = await call<{ items: Key[]; nextPage: string | null }>('GET', `/v1/keys?companyId=${props.company}&limit=100${after === null ? '' : `&nextPage=${encodeURIComponent(after)}`}`);
      setList((old) => [...(after === null ? [] : old ?? []), ...page.items]);
      setNext(page.nextPage);
    } catch (e) {
      setError(`${say.failed} ${errorText(e)}`);
    }
  }
  useEffect(() => void read(null), []);

  async function revoke(id: number) {
    if (sure !== id) return setSure(id);
    setError('');
    try {
      await call('DELETE', `/v1/keys/${id}`);
      setList((old) => old?.filter((k) => k.id !== id) ?? null);
    } catch (e) {
      setError(errorText(e));
    }
    setSure(0);
  }

  return (
    <section class="card" aria-label={say.title} data-test="keys">
      <div class="row pad">
        <div class="lead"><h2>{say.title}</h2><p class="muted small">{say.lead}</p></div>
        <button class="button" onClick={() => setOpen(true)}><PlusIcon />{say.make}</button>
      </div>
      {list === null && error === '' && <p class="muted pad" role="status">{words.loading}</p>}
      {list?.length === 0 && <p class="muted pad">{say.none}</p>}
      <ul class="plain">
        {list?.map((k) => (
          <li key={k.id} class="person" data-key={k.id}>
            <div class="who">
              <p class="row tight"><strong class="break">{k.name}</strong>{k.rights.map((r) => <span key={r} class="chip">{say.short[r]}</span>)}</p>
              <p class="small break">{k.licenseId === undefined ? say.all : lineName(k.licenseId, k.messengerType ?? '')}</p>
              <p class="muted small">{say.since(shortDate(k.createdAt))}; {k.lastUsedAt === null ? say.unused : say.used(shortDate(k.lastUsedAt))}</p>
            </div>
            <button class={sure === k.id ? 'button small danger' : 'button small'} aria-label={sure === k.id ? undefined : say.revokeOf(k.name)} onBlur={() => setSure(0)} onClick={() => void revoke(k.id)}>{sure === k.id ? say.revokeSure : say.revoke}</button>
          </li>
        ))}
      </ul>
      {next !== null && <p class="pad"><button class="button small" onClick={() => void read(next)}>{say.more}</button></p>}
      <p class="error-text pad" role="alert">{error}</p>
      {open && <KeySheet company={props.company} name={props.name} onMade={(k) => setList((old) => [k, ...(old ?? [])])} onClose={() => setOpen(false)} />}
    </section>
  );
}
