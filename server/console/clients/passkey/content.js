// Runs on the pages of the chatcast server. It says that the extension is there, and
// passes the page's question on to background.js, and the answer back.
document.documentElement.dataset.passkeyExtension = chrome.runtime.getManifest().version;

window.addEventListener('message', async (event) => {
  if (event.source !== window || event.origin !== location.origin || event.data?.passkey !== 'use') return;
  const { id, options } = event.data;
  let answer;
  try {
    answer = await chrome.runtime.sendMessage({ options });
  } catch (error) { // the extension was updated or removed since this page was loaded
    answer = { error: 'failed', detail: String(error) };
  }
  window.postMessage({ passkey: 'used', id, ...answer }, location.origin);
});
