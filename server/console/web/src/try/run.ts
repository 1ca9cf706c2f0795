// Runs the snippet: its libraries from /lib, then its script as a blob, which only
// this page's policy allows.
import { local } from '../base';
import { libraryPath, tokenPlaceholder, type Handover } from '../handover';
import { words } from '../words';
import { print } from './output';
import { connection, stage } from './stage';

export async function run({ token, ...snippet }: Handover): Promise<void> {
  stage.value = { at: 'running', snippet };
  document.title = words.try.title(snippet.title);
  for (const name of snippet.libraries) {
    if (!(await load(local(libraryPath(name))))) return print('error', words.try.notLoaded(name));
  }
  const url = URL.createObjectURL(new Blob([snippet.script.replaceAll(tokenPlaceholder, token)], { type: 'text/javascript' }));
  const ran = await load(url);
  URL.revokeObjectURL(url);
  if (!ran) print('error', words.try.notRun);
  watchConnection();
}

function load(url: string): Promise<boolean> {
  return new Promise((done) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => done(true);
    script.onerror = () => done(false);
    document.head.append(script);
  });
}

interface PusherLike {
  connection: { state: string; bind(event: string, f: (s: { current: string }) => void): void };
}

/** watchConnection finds the client that the snippet made: pusher-js keeps a list, and Echo uses pusher-js. */
function watchConnection(): void {
  const made = (window as { Pusher?: { instances?: PusherLike[] } }).Pusher?.instances?.[0];
  if (made === undefined) return;
  connection.value = made.connection.state;
  made.connection.bind('state_change', (s) => (connection.value = s.current));
}
