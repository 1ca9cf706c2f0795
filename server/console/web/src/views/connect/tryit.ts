// The console's side of "Try it".
import { local } from '../../base';
import { handoverChannel, ready, type Handover } from '../../handover';
import { currentToken } from '../../session';

const keep = 8; // windows that may ask again after a reload
const open: BroadcastChannel[] = [];

/** openTry opens the small page that runs the snippet. */
export function openTry(snippet: Omit<Handover, 'token'>): void {
  const id = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
  const line = handoverChannel(id)!;
  line.onmessage = (m: MessageEvent<unknown>) => {
    if (m.data === ready) line.postMessage({ ...snippet, token: currentToken() } satisfies Handover);
  };
  open.push(line);
  if (open.length > keep) open.shift()?.close();
  window.open(local(`/try#${id}`), '_blank', 'noopener,width=620,height=760');
}
