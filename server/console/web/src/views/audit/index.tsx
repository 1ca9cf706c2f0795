// Audit: who did what, to what, from where. For owners and admins.
import { useState } from 'preact/hooks';
import { isAdmin, me } from '../../session';
import { words } from '../../words';
import { useEntries } from './entries';
import { isFiltered, type Filter } from './filter';
import { Filters } from './filters';
import { Table } from './table';
import './audit.css';

const w = words.audit;

export function Audit() {
  const companies = me.value?.companies.filter((c) => isAdmin(c.id)) ?? [];
  const [filter, setFilter] = useState<Filter>(everything(companies[0]?.id ?? 0));
  if (companies.length === 0) return <div class="view audit"><p class="note warn" role="alert">{w.forbidden}</p></div>;
  return <Log filter={filter} onFilter={setFilter} />;
}

function everything(companyId: number): Filter {
  return { companyId, noun: '', userId: 0, from: '', to: '' };
}

function Log({ filter, onFilter }: { filter: Filter; onFilter: (f: Filter) => void }) {
  const { list, more, error, reload, older } = useEntries(filter);
  const clear = () => onFilter(everything(filter.companyId));
  return (
    <div class="view audit" data-test="audit">
      <header class="head">
        <h1>{words.nav.audit}</h1>
        <p class="muted">{w.lead}</p>
      </header>
      <Filters filter={filter} onFilter={onFilter} />
      {error !== '' && <p class="note bad" role="alert">{w.failed(error)}</p>}
      <div class="row">
        <span class="muted small" role="status">{list !== null && w.count(list.length, more)}</span>
        <button class="button small" onClick={reload}>{w.refresh}</button>
        {isFiltered(filter) && <button class="button small" onClick={clear}>{w.clear}</button>}
      </div>
      {list === null && error === '' && <p class="empty" role="status">{words.loading}</p>}
      {list?.length === 0 && (isFiltered(filter)
        ? <p class="empty" data-test="audit-none">{w.noneMatch}</p>
        : <div class="empty" data-test="audit-empty"><p>{w.empty}</p><p class="muted">{w.emptyLead}</p></div>)}
      {list !== null && list.length > 0 && <Table list={list} onPerson={(userId) => onFilter({ ...filter, userId })} />}
      {more && <button class="button" onClick={older}>{w.older}</button>}
    </div>
  );
}
