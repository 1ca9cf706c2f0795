// Runs on the console's page, and on no other page of its server. It says that the
// extension is there, and passes the console's question on to the extension's own page,
// which asks the person. The page hears only what became of it, never what was signed:
//
//	page  {passkey: 'use', id, line, token}  ->  {passkey: 'used', id, error, detail}
//	page  {passkey: 'leave', id}                 the page does not wait any more
//
// error is empty, or gesture, busy, cancelled, expired, refused (by the server) or failed.
const consolePage = chrome.runtime.getManifest().content_scripts[0].matches[0];
const connectTime = 10_000; // milliseconds that the extension's own page may take to load

let asked = null; // the question that waits: { id, line, token, port, timer }

function answer(id, error, detail = '') {
  window.postMessage({ passkey: 'used', id, error, detail }, location.origin);
}

function done(error, detail) {
  if (asked === null) return;
  const { id, port, timer } = asked;
  asked = null;
  clearTimeout(timer);
  port?.disconnect();
  answer(id, error, detail);
}

async function use(id, line, token) {
  if (!navigator.userActivation.isActive) return answer(id, 'gesture');
  if (asked !== null) return answer(id, 'busy');
  asked = { id, line, token, port: null, timer: setTimeout(() => done('failed', 'The extension’s page did not open.'), connectTime) };
  try {
    const error = await chrome.runtime.sendMessage({ open: id });
    if (error !== '' && asked?.id === id) done(error);
  } catch (error) { // the extension was updated or removed since this page was loaded
    if (asked?.id === id) done('failed', String(error));
  }
}

window.addEventListener('message', (event) => {
  if (event.source !== window || event.origin !== location.origin || !Number.isSafeInteger(event.data?.id)) return;
  const { passkey, id, line, token } = event.data;
  if (passkey === 'use' && typeof token === 'string') void use(id, line, token);
  if (passkey === 'leave' && asked?.id === id) done('cancelled');
});

chrome.runtime.onConnect.addListener((port) => {
  const own = port.sender?.id === chrome.runtime.id && port.sender.url?.startsWith(chrome.runtime.getURL('confirm.html'));
  if (!own || asked === null || asked.port !== null || port.name !== String(asked.id)) return port.disconnect();
  asked.port = port;
  clearTimeout(asked.timer);
  port.onMessage.addListener(({ error, detail }) => done(error, detail));
  port.onDisconnect.addListener(() => done('cancelled'));
  port.postMessage({ line: asked.line, token: asked.token });
});

if (location.origin + location.pathname === consolePage) document.documentElement.dataset.passkeyExtension = chrome.runtime.getManifest().version;
