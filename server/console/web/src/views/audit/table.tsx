// The entries of the audit log as a table.
import { Fragment } from 'preact';
import { plain } from '../../naming';
import { words } from '../../words';
import type { Entry } from './entries';
import { facts } from './facts';

const w = words.audit;

export function Table({ list, onPerson }: { list: Entry[]; onPerson: (userId: number) => void }) {
  return (
    <div class="card audit-table">
      <table>
        <thead>
          <tr>
            <th scope="col">{w.when}</th><th scope="col">{w.what}</th><th scope="col">{w.who}</th>
            <th scope="col">{w.target}</th><th scope="col">{w.where}</th><th scope="col">{w.details}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((e) => (
            <tr key={e.id} data-action={e.action}>
              <td data-label={w.when} class="audit-when">{new Date(e.time * 1000).toLocaleString()}</td>
              <th scope="row" data-label={w.what}>
                {w.actions[e.action] ?? e.action} {e.times > 1 && <span class="chip">{w.times(e.times)}</span>}
              </th>
              <td data-label={w.who} class="audit-name"><Actor actor={e.actor} onPerson={onPerson} /></td>
              <td data-label={w.target} class="audit-name">{e.target !== null && <Target target={e.target} />}</td>
              <td data-label={w.where}>{e.address !== '' && <><code>{e.address}</code><br /><span class="muted small">{plain(e.userAgent)}</span></>}</td>
              <td data-label={w.details} class="audit-details"><Facts entry={e} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Actor is who did it; a person or a key can be clicked, to see what else they did. */
function Actor({ actor, onPerson }: { actor: Entry['actor']; onPerson: (userId: number) => void }) {
  const { id } = actor;
  if (id === null) return <span class="muted">{w.actors[actor.type] ?? actor.type}</span>;
  const name = plain(actor.name) || `#${id}`;
  return <>{actor.type === 'key' && <span class="muted small">{w.key} </span>}<button class="audit-person" aria-label={name} onClick={() => onPerson(id)}><Parts text={name} /></button></>;
}

function Target({ target }: { target: NonNullable<Entry['target']> }) {
  const name = plain(target.name);
  return <><span class="muted small">{w.targets[target.type] ?? target.type}</span> <span class="break"><Parts text={name || target.id} /></span></>;
}

/** Parts is a name that is broken after its signs first, as an address is read. */
function Parts({ text }: { text: string }) {
  return <>{text.split(/(?<=[@.])/).map((part, i) => <Fragment key={i}>{i > 0 && <wbr />}{part}</Fragment>)}</>;
}

function Facts({ entry }: { entry: Entry }) {
  const list = facts(entry.details);
  if (list.length === 0) return null;
  return (
    <ul class="plain small">
      {list.map((f) => (
        <li key={f.name} class="break">
          <span class="muted">{f.name}:</span> <Parts text={f.value || w.none} />{f.before !== undefined && <span class="muted"> ({w.was(f.before)})</span>}
        </li>
      ))}
    </ul>
  );
}
