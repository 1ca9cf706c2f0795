// The state of the open line that the parts of the view share.
import type { Signal } from '@preact/signals';
import type { Rest } from '../../api';
import { words } from '../../words';
import { Catalogue } from './catalogue';
import { Chats } from './chats';
import { Deed } from './deed';
import type { Line } from './line';
import { isAccount } from './stand';
import { Standing } from './standing';

const say = words.send;

export interface LineState {
  line: Line;
  chats: Chats;
  catalogue: Catalogue;
  standing: Standing;
  status: Signal<Rest['LineStatus'] | null>; // null: not known yet
  firstContact: { deed: Deed; chatId: string }; // the first message to a new chat, and the event that it caused
}

/** openLine starts to follow a line. The caller must close its chats, catalogue and standing. */
export function openLine(line: Line): LineState {
  const catalogue = new Catalogue(line);
  const standing = new Standing(line);
  return { line, catalogue, chats: new Chats(line, catalogue), standing, status: standing.status, firstContact: { deed: new Deed(), chatId: '' } };
}

/** whyNoInbound is the reason why the user cannot write as a customer; empty: they can. */
export function whyNoInbound({ line, status }: LineState): string {
  if (!line.write) return say.readOnly;
  if (status.value !== null && isAccount(status.value)) return say.account;
  return line.admin ? '' : say.notAdmin;
}

/** account says whether the line has an account of its own: actions on it go to the messenger. */
export function account({ status }: LineState): boolean {
  return status.value !== null && isAccount(status.value);
}
