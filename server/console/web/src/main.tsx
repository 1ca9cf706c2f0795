import './style.css';
import './theme';
import { render } from 'preact';
import { ApiError } from './api';
import { App } from './app';
import { loadConfig } from './config';
import { resume, signedIn } from './session';
import { words } from './words';

const root = document.getElementById('app')!;

// The server may be starting: the page tries until it answers.
async function begin(): Promise<void> {
  for (let wait = 500; ; wait = Math.min(wait * 2, 10_000)) {
    try {
      await loadConfig();
      if (signedIn.peek()) await resume();
      break;
    } catch (e) {
      if (e instanceof ApiError && e.status >= 400 && e.status < 500 && !signedIn.peek()) break; // the session is over
      render(<p class="empty" role="alert">{words.start.failed}</p>, root);
      await new Promise((done) => setTimeout(done, wait));
    }
  }
  render(<App />, root);
}

void begin();
