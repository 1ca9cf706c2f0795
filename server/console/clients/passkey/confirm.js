// The extension's own page. It asks the server what is to be signed, shows for which line,
// and when the person clicks it uses the passkey on WhatsApp's page and gives the result
// to the server. No other page can click here, nor see what was signed.
import { lineOf, Refused, timeLeft, toSign, trusted, whatsapp } from './options.js';

const consolePage = chrome.runtime.getManifest().content_scripts[0].matches[0];
const at = (id) => document.getElementById(id);
const [asking, id] = location.hash.slice(1).split('-').map(Number);
const port = chrome.tabs.connect(asking, { name: String(id), frameId: 0 });
let opened; // the id of WhatsApp's page
let over = false;

port.onDisconnect.addListener(() => void close()); // the console does not wait any more
port.onMessage.addListener((question) => void show(question).catch(fail));
at('cancel').addEventListener('click', () => void finish('cancelled'));

async function show(question) {
  const line = lineOf(question.line);
  if (!trusted(consolePage) || line === undefined) throw new Refused('failed', 'The question is not valid.');
  const path = `v1/licenses/${line.licenseId}/messengers/${line.messenger}`;
  const ask = server(question.token);
  const [me, licenses, pairing] = await Promise.all([ask('GET', 'v1/me'), ask('GET', 'v1/licenses'), ask('GET', `${path}/qr`)]);
  const license = licenses.data.find((l) => l.licenseId === line.licenseId);
  const messenger = license?.messenger.find((m) => m.type === line.messenger);
  if (messenger === undefined) throw new Refused('failed', 'The server does not know this line.');
  const until = Date.now() + timeLeft(pairing.data.expiresAt, pairing.ahead);
  toSign(pairing.data.passkey, until - Date.now()); // what cannot be signed is not asked for
  at('line').textContent = `${messenger.name || messenger.type} · ${license.licenseName || license.licenseId}`;
  at('server').textContent = consolePage;
  at('person').textContent = me.data.email;
  at('status').hidden = true;
  at('question').hidden = false;
  count(until);
  at('use').addEventListener('click', (event) => {
    if (!event.isTrusted || at('use').disabled) return;
    at('use').disabled = true;
    const late = new Promise((_, reject) => setTimeout(() => reject(new Refused('expired', 'The time for the passkey is over.')), until - Date.now()));
    late.catch(() => {}); // it may be over before
    use(toSign(pairing.data.passkey, until - Date.now()), late)
      .then((assertion) => ask('POST', `${path}/passkey`, { assertion }))
      .then(() => finish(''), fail);
  });
  at('use').focus();
}

/** count shows how much time is left, and ends with it. */
function count(until) {
  const tick = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    at('left').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    if (seconds <= 0) void finish('expired', 'The time for the passkey is over.');
  };
  tick();
  setInterval(tick, 1000);
}

/** server returns a function that calls the console's server as the person who is signed in there. */
function server(token) {
  return async (method, path, body) => {
    const res = await fetch(consolePage + path, {
      method, cache: 'no-store', credentials: 'omit', redirect: 'error',
      headers: { Authorization: token, Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await res.json().catch(() => null);
    if (!res.ok || answer?.success !== true) {
      throw new Refused('refused', Object.values(answer?.error?.fields ?? {})[0] ?? answer?.error?.message ?? `the server answered ${res.status}`);
    }
    const date = Date.parse(res.headers.get('Date') ?? '');
    return { data: answer.data, ahead: Number.isNaN(date) ? 0 : date - Date.now() };
  };
}

/** use returns the assertion. It opens WhatsApp's page for it, and closes it again. */
async function use(options, late) {
  try {
    const tab = await chrome.tabs.create({ url: `${whatsapp}/`, active: true });
    opened = tab.id;
    const gone = closed(opened);
    await Promise.race([loaded(opened), gone, late]);
    const signed = chrome.scripting.executeScript({ target: { tabId: opened, frameIds: [0] }, world: 'ISOLATED', func: sign, args: [options, whatsapp] });
    const [{ result }] = await Promise.race([signed, gone, late]);
    if (result?.assertion === undefined) throw new Refused(result?.error ?? 'failed', result?.detail ?? '');
    return result.assertion;
  } finally {
    const tab = opened;
    opened = undefined;
    if (tab !== undefined) await chrome.tabs.remove(tab).catch(() => {}); // it may be closed already
  }
}

/** sign runs in WhatsApp's page, in a world that the page's own scripts cannot reach. */
async function sign(options, whatsapp) {
  if (location.origin !== whatsapp || window !== window.top) return { error: 'failed', detail: 'WhatsApp’s page led elsewhere.' };
  try {
    const { id, rawId, type, response } = (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON();
    const { clientDataJSON, authenticatorData, signature, userHandle } = response;
    return { assertion: { id, rawId, type, response: { clientDataJSON, authenticatorData, signature, userHandle } } };
  } catch (error) {
    return { error: error.name === 'NotAllowedError' ? 'cancelled' : 'failed', detail: error.message };
  }
}

function loaded(tab) {
  return new Promise((resolve) => {
    const look = () => chrome.tabs.get(tab).then((t) => {
      if (t.status !== 'complete' || !t.url?.startsWith(`${whatsapp}/`)) return;
      chrome.tabs.onUpdated.removeListener(hear);
      resolve();
    }, () => {});
    const hear = (updated) => updated === tab && void look();
    chrome.tabs.onUpdated.addListener(hear);
    void look();
  });
}

/** closed rejects when the person closes the page. */
function closed(tab) {
  const gone = new Promise((_, reject) => {
    chrome.tabs.onRemoved.addListener((removed) => removed === tab && reject(new Refused('cancelled', '')));
  });
  gone.catch(() => {}); // we close the page ourselves in the end
  return gone;
}

function fail(error) {
  return error instanceof Refused ? finish(error.why, error.message) : finish('failed', String(error?.message ?? error));
}

/** finish tells the console what became of it, and goes back there. */
async function finish(error, detail = '') {
  if (over) return;
  try {
    port.postMessage({ error, detail });
  } catch {
    // the console's page is gone
  }
  await close();
}

async function close() {
  if (over) return;
  over = true;
  if (opened !== undefined) await chrome.tabs.remove(opened).catch(() => {});
  await chrome.tabs.update(asking, { active: true }).catch(() => {});
  const own = await chrome.tabs.getCurrent();
  await chrome.tabs.remove(own.id);
}
