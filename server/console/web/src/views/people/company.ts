// The people of one company, as its owners and admins see them, kept up to date by
// events.
import { effect, signal } from '@preact/signals';
import { call, type Rest } from '../../api';
import { isWhole } from '../../catchup';
import { onEvent } from '../../log';
import { catchUp, errorText } from '../../socket';

export type Employee = Rest['Employee'];
export type Invitation = Rest['InvitationData'];

export class Company {
  readonly state = signal<'loading' | 'ready' | 'failed'>('loading');
  readonly error = signal('');
  readonly employees = signal<readonly Employee[]>([]);
  readonly invitations = signal<readonly Invitation[]>([]);
  readonly requireTotp = signal(false);
  private readonly path: string;
  private readonly end = new AbortController();
  private readonly endings: (() => void)[];

  constructor(readonly id: number) {
    this.path = `/v1/companies/${id}`;
    this.endings = [
      onEvent((e) => {
        if (e.event === 'employeeStatus' || e.event === 'employeeWorkday') this.hear(e.event, e.data);
      }),
      // Now, and after an outage that the journal could not fill.
      effect(() => {
        const whole = isWhole(catchUp.progress.value);
        if (this.state.peek() === 'loading' || !whole) void this.read();
      }),
    ];
  }

  close(): void {
    for (const f of this.endings) f();
    this.end.abort();
  }

  async read(): Promise<void> {
    this.error.value = '';
    try {
      const [employees, invitations, security] = await Promise.all([
        this.all<Employee>(`${this.path}/employees`), this.all<Invitation>(`${this.path}/invitations`),
        call<Rest['CompanySecurity']>('GET', `${this.path}/security`, undefined, { signal: this.end.signal }),
      ]);
      this.employees.value = employees;
      this.invitations.value = invitations;
      this.requireTotp.value = security.requireTotp;
      this.state.value = 'ready';
    } catch (e) {
      if (this.end.signal.aborted) return;
      this.error.value = errorText(e);
      this.state.value = 'failed';
    }
  }

  private async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for (let page: string | null = ''; page !== null; ) {
      const next: string = page && `&nextPage=${encodeURIComponent(page)}`;
      const answer: { items: T[]; nextPage: string | null } = await call('GET', `${path}?limit=100${next}`, undefined, { signal: this.end.signal });
      items.push(...answer.items);
      page = answer.nextPage;
    }
    return items;
  }

  async change(userId: number, changes: Rest['EmployeeChanges']): Promise<void> {
    const now = await call<Employee>('PATCH', `${this.path}/employees/${userId}`, changes);
    this.employees.value = this.employees.peek().map((e) => (e.userId === userId ? now : e));
  }

  async remove(userId: number): Promise<void> {
    await call('DELETE', `${this.path}/employees/${userId}`);
    this.employees.value = this.employees.peek().filter((e) => e.userId !== userId);
  }

  async invite(input: Rest['Invitation']): Promise<Rest['InvitationLink']> {
    const { invitation } = await call<Rest['Invited']>('POST', `${this.path}/employees`, input);
    this.invitations.value = await this.all<Invitation>(`${this.path}/invitations`).catch(() => this.invitations.peek());
    return invitation;
  }

  async withdraw(id: number): Promise<void> {
    await call('DELETE', `${this.path}/invitations/${id}`);
    this.invitations.value = this.invitations.peek().filter((i) => i.id !== id);
  }

  async require(requireTotp: boolean): Promise<void> {
    this.requireTotp.value = (await call<Rest['CompanySecurity']>('PUT', `${this.path}/security`, { requireTotp })).requireTotp;
  }

  private hear(event: 'employeeStatus' | 'employeeWorkday', data: unknown): void {
    const p = (data as { payload?: { data?: unknown; meta?: { companyId?: unknown } } } | null)?.payload;
    if (!Array.isArray(p?.data) || p.meta?.companyId !== this.id) return;
    for (const item of p.data as ({ type?: unknown; employee?: { id?: unknown } } | null)[]) {
      const known = this.employees.peek().some((e) => e.userId === item?.employee?.id);
      if (!known) {
        void this.read(); // somebody has accepted an invitation
        return;
      }
      this.employees.value = this.employees.peek().map((e) => {
        if (e.userId !== item?.employee?.id) return e;
        return event === 'employeeStatus' ? { ...e, online: item.type === 'online' } : { ...e, workday: item.type === 'start' ? 'start' : 'end' };
      });
    }
  }
}
