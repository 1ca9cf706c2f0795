// The details of an entry of the audit log, each with what was before.
import { plain } from '../../naming';
import { words } from '../../words';

export interface Fact {
  name: string;
  value: string;
  before?: string;
}

/** facts pairs each detail with the one of its name and Before. */
export function facts(details: Record<string, string>): Fact[] {
  const list: Fact[] = [];
  for (const [name, text] of Object.entries(details)) {
    if (name.endsWith('Before') && name.slice(0, -'Before'.length) in details) continue;
    const value = name === 'reason' ? words.audit.reasons[text] ?? text : plain(text);
    const before = details[`${name}Before`];
    list.push(before === undefined ? { name, value } : { name, value, before: plain(before) });
  }
  return list;
}
