// The choices that a company offers: tags, levels, and people if this user may list
// them.
import { signal } from '@preact/signals';
import { call, type Rest } from '../../api';
import { presentIn } from '../../presence';
import { me } from '../../session';
import type { Line } from './line';

export interface Person {
  id: number;
  name: string;
}

export class Catalogue {
  readonly tags = signal<readonly Rest['Tag'][]>([]);
  readonly levels = signal<readonly Rest['Level'][]>([]);
  readonly people = signal<readonly Person[]>([]);
  private readonly end = new AbortController();

  constructor(private readonly line: Line) {
    void this.read(line.companyId);
  }

  close(): void {
    this.end.abort();
  }

  private async read(company: number): Promise<void> {
    const of = `companyId=${company}`;
    await Promise.all([
      this.all<Rest['Tag']>('/v1/tags', of).then((l) => (this.tags.value = l), ignore),
      this.all<Rest['Level']>('/v1/levels', of).then((l) => (this.levels.value = l), ignore),
      this.readPeople(company).catch(ignore),
    ]);
  }

  // Operators may not list their colleagues. They see themselves and the people in
  // these chats.
  private async readPeople(company: number): Promise<void> {
    const who = me.peek()!;
    if (!this.line.admin) {
      const here = (presentIn.peek().get(company) ?? []).map((p) => ({ id: Number(p.id), name: p.name })).filter((p) => Number.isInteger(p.id) && p.id !== who.id);
      this.people.value = [{ id: who.id, name: who.name }, ...here];
      return;
    }
    const all = await this.all<Rest['Employee']>(`/v1/companies/${company}/employees`, '');
    this.people.value = all
      .filter((e) => e.role !== 'operator' || e.licenses.some((l) => l.licenseId === this.line.licenseId))
      .map((e) => ({ id: e.userId, name: e.name }));
  }

  private async all<T>(path: string, query: string): Promise<T[]> {
    const items: T[] = [];
    for (let page: string | null = ''; page !== null; ) {
      const next: string = page && `&nextPage=${encodeURIComponent(page)}`;
      const answer: { items: T[]; nextPage: string | null } = await call('GET', `${path}?limit=100&${query}${next}`, undefined, { signal: this.end.signal });
      items.push(...answer.items);
      page = answer.nextPage;
    }
    return items;
  }

  async makeTag(name: string, color: string): Promise<Rest['Tag']> {
    const { id } = await call<{ id: number }>('POST', '/v1/tags', { companyId: this.line.companyId, name, color });
    const tag = await call<Rest['Tag']>('GET', `/v1/tags/${id}`);
    this.tags.value = [...this.tags.peek(), tag];
    return tag;
  }

  async makeLevel(name: string): Promise<Rest['Level']> {
    const { id } = await call<{ id: number }>('POST', '/v1/levels', { companyId: this.line.companyId, name });
    const level = await call<Rest['Level']>('GET', `/v1/levels/${id}`);
    this.levels.value = [...this.levels.peek(), level];
    return level;
  }
}

function ignore(): void {
  // these cannot be chosen now; the next opening asks again
}
