// Light, dark, or as the system has it. It is no secret, so it may stay in
// localStorage.
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
    // it holds for this page, then
  }
});
