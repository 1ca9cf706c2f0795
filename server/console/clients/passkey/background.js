// Opens the extension's own page when the console asks, one at a time. That page does the
// rest: this script may be ended by the browser at any time.
import { trusted } from './options.js';

const consolePage = chrome.runtime.getManifest().content_scripts[0].matches[0];
const ownPage = chrome.runtime.getURL('confirm.html');
let latest; // the id of the tab that was opened last

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
    if (await isOpen()) return 'busy';
    const tab = await chrome.tabs.create({
      url: `${ownPage}#${asking.id}-${id}`, active: true, windowId: asking.windowId, openerTabId: asking.id,
    });
    latest = tab.id;
    return '';
  });
  turn = opened.catch(() => {});
  return opened;
}

/**
 * isOpen says whether there is a page that asks the person already. A page that has just
 * been opened may be no context yet, and the person may have led its tab elsewhere. The
 * browser shows us the address of our own pages without the permission "tabs", and of the
 * pages that we may reach; any other tab has none.
 */
async function isOpen() {
  const tab = latest !== undefined && await chrome.tabs.get(latest).catch(() => undefined);
  if (tab && (tab.pendingUrl || tab.url)?.startsWith(ownPage)) return true;
  return (await chrome.runtime.getContexts({ contextTypes: ['TAB'] })).length > 0;
}
