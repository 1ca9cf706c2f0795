// The channels that a user may listen to, with their names in the console.
import type { Rest } from '../../api';
import { channelsOf } from '../../socket';
import { words } from '../../words';

export interface Choice {
  channel: string;
  group: 'line' | 'company' | 'user';
  label: string;
}

/** choices are the user's channels, in the order in which the console subscribes. */
export function choices(who: Rest['Me'], lines: Rest['License'][]): Choice[] {
  return channelsOf(who, lines).map((channel) => {
    const line = /^private-v1\.licenses\.(\d+)\.messengers\.(.+)$/.exec(channel);
    if (line !== null) {
      const license = lines.find((l) => l.licenseId === Number(line[1]));
      const messenger = license?.messenger.find((m) => m.type === line[2]);
      return { channel, group: 'line', label: words.connect.line(messenger?.name ?? line[2]!, license?.licenseName ?? line[1]!) };
    }
    const company = /^private-v1\.companies\.(\d+)(\.users\.\d+)?$/.exec(channel);
    if (company !== null) {
      const name = who.companies.find((c) => c.id === Number(company[1]))?.name ?? company[1]!;
      return { channel, group: company[2] === undefined ? 'company' : 'line', label: company[2] === undefined ? name : words.connect.mine(name) };
    }
    return { channel, group: 'user', label: who.name };
  });
}

/**
 * lineOf is the line that the code may write on: the channel's own, or else the
 * first that the user may write on.
 */
export function lineOf(channel: string, lines: Rest['License'][]): { licenseId: number; type: string } | null {
  const own = /^private-v1\.licenses\.(\d+)\.messengers\.(.+)$/.exec(channel);
  const writable = lines.filter((l) => l.write && l.messenger.length > 0);
  if (own !== null && writable.some((l) => l.licenseId === Number(own[1]))) return { licenseId: Number(own[1]), type: own[2]! };
  const first = writable[0];
  return own !== null || first === undefined ? null : { licenseId: first.licenseId, type: first.messenger[0]!.type };
}
