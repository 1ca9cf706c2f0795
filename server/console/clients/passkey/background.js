// Opens WhatsApp's page, uses the passkey there, and closes the page again. It keeps
// nothing, and sends nothing anywhere: the answer goes to the page that asked.
const whatsapp = 'https://web.whatsapp.com/';

chrome.runtime.onMessage.addListener((message, sender, answer) => {
  if (sender.id !== chrome.runtime.id || sender.tab === undefined) return false;
  use(message.options, sender.tab).then(answer);
  return true; // the answer comes later
});

/** use answers { assertion } or { error, detail }; error is cancelled or failed. */
async function use(options, asking) {
  let tab;
  try {
    tab = await chrome.tabs.create({ url: whatsapp, active: true, windowId: asking.windowId, openerTabId: asking.id });
    const gone = closed(tab.id);
    await Promise.race([loaded(tab.id), gone]);
    const [{ result }] = await Promise.race([chrome.scripting.executeScript({ target: { tabId: tab.id }, func: sign, args: [options] }), gone]);
    return result;
  } catch (error) {
    return error === cancelled ? { error: 'cancelled', detail: '' } : { error: 'failed', detail: error.message };
  } finally {
    if (tab !== undefined) await chrome.tabs.remove(tab.id).catch(() => {}); // it may be closed already
    await chrome.tabs.update(asking.id, { active: true }).catch(() => {});
  }
}

/** sign runs in WhatsApp's page. */
async function sign(options) {
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return { assertion: (await navigator.credentials.get({ publicKey })).toJSON() };
  } catch (error) {
    return { error: error.name === 'NotAllowedError' ? 'cancelled' : 'failed', detail: error.message };
  }
}

const cancelled = new Error('the page was closed');

function loaded(id) {
  return new Promise((resolve) => {
    const done = () => {
      chrome.tabs.onUpdated.removeListener(hear);
      resolve();
    };
    const hear = (updated, change) => updated === id && change.status === 'complete' && done();
    chrome.tabs.onUpdated.addListener(hear);
    chrome.tabs.get(id).then((tab) => tab.status === 'complete' && tab.url?.startsWith(whatsapp) && done(), () => {});
  });
}

function closed(id) {
  const gone = new Promise((_, reject) => {
    chrome.tabs.onRemoved.addListener(function hear(removed) {
      if (removed !== id) return;
      chrome.tabs.onRemoved.removeListener(hear);
      reject(cancelled);
    });
  });
  gone.catch(() => {}); // we close the page ourselves in the end
  return gone;
}
