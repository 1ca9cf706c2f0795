// The theme: light, dark, or that of the system. It is not secret, so it may be
// kept in localStorage.
import { effect, signal } from '@preact/signals';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const place = 'chatcast.theme';

function stored(): Theme {
  try {
    const t = localStorage.getItem(place) as Theme;
    return themes.includes(t) ? t : 'system';
  } catch {
    return 'system';
  }
}

export const theme = signal<Theme>(stored());

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  try {
    localStorage.setItem(place, theme.value);
  } catch {
    // storage is off: the choice holds for this page only
  }
});
