// The signed-in user and their own settings.
import { useState } from 'preact/hooks';
import { local } from '../base';
import { present } from '../presence';
import { me } from '../session';
import { theme, themes, type Theme } from '../theme';
import { words } from '../words';
import { SecondFactor } from './factor';
import { UserIcon } from './icons';
import { ChangePassword } from './password';
import { leave } from './leave';
import { Sessions } from './sessions';
import { Sheet } from './sheet';

export function Account() {
  const [open, setOpen] = useState(false);
  const who = me.value;
  if (who === null) return null;
  return (
    <>
      {present.value.length > 1 && (
        <span class="present" title={words.account.present(present.value.map((p) => p.name))}>
          {present.value.slice(0, 5).map((p) => <span key={p.id} class="face" aria-hidden="true">{initials(p.name)}</span>)}
          <span class="visually-hidden">{words.account.present(present.value.map((p) => p.name))}</span>
        </span>
      )}
      <button class="button quiet icon" aria-label={words.account.menu(who.name)} onClick={() => setOpen(true)}><UserIcon /></button>
      {open && (
        <Sheet title={who.name} tall onClose={() => setOpen(false)}>
          <p class="muted">{who.email}</p>
          <ul class="plain">
            {who.companies.map((c) => <li key={c.id}>{c.name} <span class="chip">{words.account.role[c.role] ?? c.role}</span></li>)}
          </ul>
          <fieldset class="themes">
            <legend class="label">{words.account.theme}</legend>
            {themes.map((t: Theme) => (
              <label key={t} class="check">
                <input type="radio" name="theme" checked={theme.value === t} onChange={() => (theme.value = t)} /> {words.account.themes[t]}
              </label>
            ))}
          </fieldset>
          <button class="button" onClick={() => void leave()}>{words.account.signOut}</button>
          <p><a href={local('/docs')} target="_blank" rel="noopener">{words.account.docs}</a></p>
          <ChangePassword />
          <SecondFactor />
          <Sessions />
        </Sheet>
      )}
    </>
  );
}

/** The initials of a name, for the small avatars. */
export function initials(name: string): string {
  return name.trim().split(/\s+/).slice(0, 2).map((w) => [...w][0] ?? '').join('').toUpperCase();
}
