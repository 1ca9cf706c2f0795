import { names } from '../../names';
import { authorName, plain } from '../../naming';
import { me } from '../../session';
import { words } from '../../words';
import type { Msg } from './messages';

const say = words.send.message;

/** author is the name of a message's author, for people. */
export function author(m: Msg): string {
  if (m.side === 'in') return authorName(m.fromUser);
  if (m.created?.id === me.value?.id) return say.you;
  return plain((m.created && names.user(m.created.id)) || m.fromUser.name) || say.us;
}
