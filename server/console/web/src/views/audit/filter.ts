// What the audit log is filtered by.

/** A filter. Empty texts and 0 select everything. Days are as a date field writes them. */
export interface Filter {
  companyId: number;
  noun: string;
  userId: number;
  from: string;
  to: string;
}

/** isFiltered says whether a filter leaves entries of the company out. */
export function isFiltered(f: Filter): boolean {
  return f.noun !== '' || f.userId !== 0 || f.from !== '' || f.to !== '';
}

/** query is the query of GET /v1/audit for a filter. Days begin and end by this computer's clock. */
export function query(f: Filter, nextPage = ''): string {
  const q = new URLSearchParams({ companyId: String(f.companyId), limit: '50' });
  if (f.noun !== '') q.set('action', f.noun);
  if (f.userId !== 0) q.set('userId', String(f.userId));
  if (f.from !== '') q.set('from', String(Date.parse(`${f.from}T00:00:00`) / 1000));
  if (f.to !== '') q.set('to', String(Date.parse(`${f.to}T23:59:59`) / 1000));
  if (nextPage !== '') q.set('nextPage', nextPage);
  return q.toString();
}
