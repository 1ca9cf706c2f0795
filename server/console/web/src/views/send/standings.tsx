// How a line stands, in a few words.
import { phone } from '../../naming';
import { words } from '../../words';
import type { Status } from './stand';

const say = words.send.stand;
const tones: Record<string, string> = { connected: 'good', connecting: 'warn pulse', disconnected: 'warn pulse', pairing: 'warn pulse', passkey: 'warn pulse', not_set_up: '' };

export function Standings(props: { status: Status }) {
  const { status } = props;
  if (status.via === 'bridge') return <><span class="dot" /> {say.bridge}</>; // not green: the server cannot know whether it runs
  return <><span class={`dot ${tones[status.state] ?? 'bad'}`} /> {say.state[status.state] ?? status.state}{status.phone !== null && <> · <span class="number">{phone(status.phone)}</span></>}</>;
}
