// The fields for what a person may do: the role, and for operators the lines.
import { useId } from 'preact/hooks';
import type { Rest } from '../../api';
import { plain } from '../../naming';
import { licenses } from '../../session';
import { words } from '../../words';

const say = words.people;
const roles = ['operator', 'admin', 'owner'] as const;

export interface Rights {
  role: Rest['Role'];
  onlyMine: boolean;
  licenses: Rest['LicenseRight'][];
}

export const nothing: Rights = { role: 'operator', onlyMine: false, licenses: [] };

/** RightsFields edits rights. Only owners may make owners. */
export function RightsFields(props: { company: number; owner: boolean; value: Rights; onChange: (r: Rights) => void }) {
  const { value, onChange } = props;
  const id = useId();
  const lines = licenses.value.filter((l) => l.companyId === props.company);
  const rightOn = (licenseId: number) => {
    const r = value.licenses.find((l) => l.licenseId === licenseId);
    return r === undefined ? 'none' : r.write ? 'write' : 'read';
  };
  function give(licenseId: number, right: string) {
    const rest = value.licenses.filter((l) => l.licenseId !== licenseId);
    onChange({ ...value, licenses: right === 'none' ? rest : [...rest, { licenseId, write: right === 'write' }] });
  }
  return (
    <>
      <fieldset class="choices">
        <legend class="label">{say.role}</legend>
        {roles.filter((r) => r !== 'owner' || props.owner).map((r) => (
          <label key={r} class="check"><input type="radio" name={`${id}role`} checked={value.role === r} onChange={() => onChange({ ...value, role: r })} /> {say.roles[r]}</label>
        ))}
      </fieldset>
      {value.role === 'operator' && (
        <>
          <fieldset class="choices">
            <legend class="label">{say.rights}</legend>
            {lines.length === 0 && <p class="muted small">{say.noLicenses}</p>}
            {lines.map((l) => {
              const name = plain(l.licenseName) || say.license(l.licenseId);
              return (
                <div key={l.licenseId} class="right">
                  <span>{name} <span class="muted small">{l.messenger.map((m) => plain(m.name || m.type)).join(', ')}</span></span>
                  <select class="input" aria-label={`${say.rights}: ${name}`} value={rightOn(l.licenseId)} onChange={(e) => give(l.licenseId, e.currentTarget.value)}>
                    {(['none', 'read', 'write'] as const).map((r) => <option key={r} value={r}>{say.right[r]}</option>)}
                  </select>
                </div>
              );
            })}
          </fieldset>
          <label class="check"><input type="checkbox" checked={value.onlyMine} onChange={(e) => onChange({ ...value, onlyMine: e.currentTarget.checked })} /> {say.onlyMineLabel}</label>
        </>
      )}
    </>
  );
}
