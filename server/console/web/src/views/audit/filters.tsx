// The filter of the audit log.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { call, type Rest } from '../../api';
import { isAdmin, me } from '../../session';
import { words } from '../../words';
import type { Filter } from './filter';

const w = words.audit;

export function Filters({ filter, onFilter }: { filter: Filter; onFilter: (f: Filter) => void }) {
  const companies = me.value?.companies.filter((c) => isAdmin(c.id)) ?? [];
  const set = (part: Partial<Filter>) => onFilter({ ...filter, ...part });
  return (
    <div class="audit-filters">
      {companies.length > 1 && (
        <Choice label={w.company} value={filter.companyId} onChoose={(id) => set({ companyId: Number(id), userId: 0 })}>
          {companies.map((c) => <option key={c.id} value={c.id}>{c.name}</option>)}
        </Choice>
      )}
      <Choice label={w.what} value={filter.noun} onChoose={(noun) => set({ noun })}>
        <option value="">{w.everything}</option>
        {Object.entries(w.nouns).map(([noun, name]) => <option key={noun} value={noun}>{name}</option>)}
      </Choice>
      <Person filter={filter} onChoose={(userId) => set({ userId })} />
      <Day label={w.from} value={filter.from} onChoose={(from) => set({ from })} />
      <Day label={w.to} value={filter.to} onChoose={(to) => set({ to })} />
    </div>
  );
}

function Choice(props: { label: string; value: string | number; onChoose: (value: string) => void; children: ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} class="input" value={props.value} onChange={(e) => props.onChoose(e.currentTarget.value)}>{props.children}</select>
    </div>
  );
}

function Day(props: { label: string; value: string; onChoose: (day: string) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <input id={id} class="input" type="date" value={props.value} onChange={(e) => props.onChoose(e.currentTarget.value)} />
    </div>
  );
}

/** Person offers the company's people, and the chosen one also when they have left. */
function Person({ filter, onChoose }: { filter: Filter; onChoose: (userId: number) => void }) {
  const [people, setPeople] = useState<Rest['Employee'][]>([]);
  useEffect(() => {
    let gone = false;
    setPeople([]);
    void (async () => {
      let page = '';
      do {
        const next: string = page && `&nextPage=${encodeURIComponent(page)}`;
        const answer = await call<{ items: Rest['Employee'][]; nextPage: string | null }>('GET', `/v1/companies/${filter.companyId}/employees?limit=100${next}`);
        if (gone) return;
        setPeople((old) => [...old, ...answer.items]);
        page = answer.nextPage ?? '';
      } while (page !== '');
    })().catch(() => undefined); // the log can be read without the list
    return () => {
      gone = true;
    };
  }, [filter.companyId]);
  const unlisted = filter.userId !== 0 && !people.some((p) => p.userId === filter.userId);
  return (
    <Choice label={w.who} value={filter.userId} onChoose={(id) => onChoose(Number(id))}>
      <option value={0}>{w.everybody}</option>
      {unlisted && <option value={filter.userId}>{`#${filter.userId}`}</option>}
      {people.map((p) => <option key={p.userId} value={p.userId}>{`${p.name} (${p.email})`}</option>)}
    </Choice>
  );
}
