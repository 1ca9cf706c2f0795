// The page at /try: it runs a snippet of the console exactly as the user reads it,
// and shows what the snippet prints. It has no session of its own: the token comes
// with the snippet, and is gone with the page.
import './style.css';
import './try/try.css';
import './theme';
import { render } from 'preact';
import { handoverChannel, isHandover, ready } from './handover';
import { watchConsole } from './try/output';
import { TryPage } from './try/page';
import { run } from './try/run';
import { stage } from './try/stage';

const patience = 3000; // milliseconds to wait for the console's answer

watchConsole();
render(<TryPage />, document.body);

const line = handoverChannel(location.hash.slice(1));
if (line === null) stage.value = { at: 'nothing' };
else {
  const timer = setTimeout(() => (stage.value = { at: 'nothing' }), patience);
  line.onmessage = (m: MessageEvent<unknown>) => {
    if (!isHandover(m.data)) return;
    clearTimeout(timer);
    line.close();
    if (m.data.token === '') stage.value = { at: 'signedOut' };
    else void run(m.data);
  };
  line.postMessage(ready);
}
// Another number means another snippet.
addEventListener('hashchange', () => location.reload());
