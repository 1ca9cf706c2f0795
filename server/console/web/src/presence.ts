// Who is here now: the members of the presence channels of the user's companies.
import { computed, signal } from '@preact/signals';

export interface Present {
  id: string;
  name: string;
}

/** The present people by company. A person may be in several. */
export const presentIn = signal<ReadonlyMap<number, readonly Present[]>>(new Map());

/** present are all of them, each once. */
export const present = computed(() => {
  const all = new Map([...presentIn.value.values()].flat().map((p) => [p.id, p]));
  return byName([...all.values()]);
});

/** seeIn sets the people who are in a company's channel now. */
export function seeIn(company: number, people: readonly Present[]): void {
  presentIn.value = new Map(presentIn.peek()).set(company, byName(people));
}

export function seeNobody(): void {
  presentIn.value = new Map();
}

function byName(people: readonly Present[]): Present[] {
  return people.toSorted((a, b) => a.name.localeCompare(b.name));
}
