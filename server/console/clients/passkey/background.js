// Opens the extension's own page when the console asks, one at a time. That page does the
// rest: this script may be ended by the browser at any time.
import { trusted } from './options.js';

const consolePage = chrome.runtime.getManifest().content_scripts[0].matches[0];
const ownPage = chrome.runtime.getURL('confirm.html');
const connectTime = 10_000; // milliseconds that our page may take to load, as in content.js

chrome.runtime.onMessage.addListener((message, sender, answer) => {
  if (!fromConsole(sender) || !Number.isSafeInteger(message?.open)) return false;
  open(message.open, sender.tab).then(answer, () => answer('failed'));
  return true; // the answer comes later
});

/** fromConsole says whether a message is from our script on the console's page. */
function fromConsole(sender) {
  return sender.id === chrome.runtime.id && sender.tab !== undefined && sender.frameId === 0 &&
    sender.url?.split(/[?#]/)[0] === consolePage && trusted(consolePage);
}

let turn = Promise.resolve();

/** open answers with an error, or ''. */
function open(id, asking) {
  const opened = turn.then(async () => {
    if ((await chrome.runtime.getContexts({ contextTypes: ['TAB'] })).length > 0) return null; // a page asks already
    return chrome.tabs.create({
      url: `${ownPage}#${asking.id}-${id}`, active: true, windowId: asking.windowId, openerTabId: asking.id,
    });
  });
  turn = opened.then((tab) => tab && loaded(tab.id)).catch(() => {});
  return opened.then((tab) => (tab ? '' : 'busy'));
}

/**
 * loaded waits until a tab has loaded, and so is a context, or is gone. The next question
 * waits for it: which tabs show our page can only be read from the contexts.
 */
function loaded(id) {
  return new Promise((done) => {
    const over = () => {
      clearTimeout(timer);
      chrome.tabs.onUpdated.removeListener(updated);
      chrome.tabs.onRemoved.removeListener(removed);
      done();
    };
    const updated = (tab, change) => { if (tab === id && change.status === 'complete') over(); };
    const removed = (tab) => { if (tab === id) over(); };
    const timer = setTimeout(over, connectTime);
    chrome.tabs.onUpdated.addListener(updated);
    chrome.tabs.onRemoved.addListener(removed);
    chrome.tabs.get(id).then((tab) => { if (tab.status === 'complete') over(); }, over);
  });
}
