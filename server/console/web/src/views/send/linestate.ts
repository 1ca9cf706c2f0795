// What the parts of the view share about the line that is open.
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
  firstContact: { deed: Deed; chatId: string }; // who wrote first, and the event that it caused
  drafts: Map<string, string>; // of texts that were not sent, by chat and by who would write
}

/** openLine starts to follow a line; who opened it closes its chats, catalogue and standing. */
export function openLine(line: Line): LineState {
  const catalogue = new Catalogue(line);
  const standing = new Standing(line);
  return { line, catalogue, chats: new Chats(line, catalogue), standing, status: standing.status, drafts: new Map(), firstContact: { deed: new Deed(), chatId: '' } };
}

/** whyNoInbound says why the user cannot write as a customer; empty: they can. */
export function whyNoInbound({ line, status }: LineState): string {
  if (!line.write) return say.readOnly;
  if (status.value !== null && isAccount(status.value)) return say.account;
  return line.onlyMine ? say.onlyMine : '';
}

/** account says that the line has an account of its own: what people do on it goes to the messenger. */
export function account({ status }: LineState): boolean {
  return status.value !== null && isAccount(status.value);
}
