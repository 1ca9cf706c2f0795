// The browser extension that uses a passkey on WhatsApp's page. It marks the pages on
// which it runs, and is spoken to by messages of the page to itself.
import type { Rest } from '../../api';

/** NoPasskey says why there is no answer: the person cancelled, or something failed. */
export class NoPasskey extends Error {
  constructor(readonly why: 'cancelled' | 'failed', detail: string) {
    super(detail);
  }
}

let asked = 0; // questions of this page so far

interface Answer {
  passkey?: unknown;
  id?: unknown;
  assertion?: object;
  error?: unknown;
  detail?: unknown;
}

/** extensionThere says whether the extension runs on this page. */
export function extensionThere(): boolean {
  return document.documentElement.dataset.passkeyExtension !== undefined;
}

/** useByExtension has the extension use a passkey. It throws a NoPasskey. */
export function useByExtension(options: Rest['PasskeyOptions'], end: AbortSignal): Promise<object> {
  const id = ++asked;
  return new Promise((resolve, reject) => {
    addEventListener('message', function hear(e: MessageEvent) {
      const answer = e.data as Answer | null;
      if (e.source !== window || answer?.passkey !== 'used' || answer.id !== id) return;
      removeEventListener('message', hear);
      if (typeof answer.assertion === 'object') resolve(answer.assertion);
      else reject(new NoPasskey(answer.error === 'cancelled' ? 'cancelled' : 'failed', String(answer.detail ?? '')));
    }, { signal: end });
    end.addEventListener('abort', () => reject(new NoPasskey('cancelled', '')), { once: true });
    postMessage({ passkey: 'use', id, options }, location.origin);
  });
}

/**
 * scriptFor is what a person runs in the developer tools of WhatsApp's page, when there
 * is no extension. It prints the answer in one line.
 */
export function scriptFor(options: Rest['PasskeyOptions']): string {
  return `console.log(JSON.stringify((await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(${JSON.stringify(options)}) })).toJSON()))`;
}

/** assertionIn is the answer in a text that a person has pasted; undefined: there is none. */
export function assertionIn(text: string): object | undefined {
  const from = text.indexOf('{');
  const to = text.lastIndexOf('}');
  if (from < 0 || to < from) return undefined;
  try {
    const found = JSON.parse(text.slice(from, to + 1)) as { response?: unknown };
    return typeof found.response === 'object' && found.response !== null ? found : undefined;
  } catch {
    return undefined;
  }
}
