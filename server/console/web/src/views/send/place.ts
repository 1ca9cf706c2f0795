// The places that a person chooses from, and how to look at one.
import { signal } from '@preact/signals';
import type { Rest } from '../../api';
import { left, me } from '../../session';

export type Place = Rest['Location'];

/** mapLink shows a place on a map, to make sure of it. */
export function mapLink(p: { latitude: number; longitude: number }): string {
  return `https://www.openstreetmap.org/?mlat=${p.latitude}&mlon=${p.longitude}#map=17/${p.latitude}/${p.longitude}`;
}

const keep = 5;

/** The places that this user has sent since the page was opened, the last one first. */
export const sentPlaces = signal<{ user: number; list: readonly Place[] }>({ user: 0, list: [] });

export function keepPlace(p: Place): void {
  const user = me.peek()?.id ?? 0;
  const before = sentPlaces.peek().user === user ? sentPlaces.peek().list : [];
  sentPlaces.value = { user, list: [p, ...before.filter((o) => JSON.stringify(o) !== JSON.stringify(p))].slice(0, keep) };
}

left.subscribe((times) => {
  if (times > 0) sentPlaces.value = { user: 0, list: [] };
});

/** knownPlaces are those to choose from: sent before, or in the conversation. Each once. */
export function knownPlaces(user: number, inChat: readonly Place[]): Place[] {
  const { list } = sentPlaces.value;
  const all = [...(sentPlaces.value.user === user ? list : []), ...inChat.toReversed()];
  return [...new Map(all.map((p) => [`${p.latitude} ${p.longitude} ${p.name}`, p])).values()].slice(0, keep);
}
