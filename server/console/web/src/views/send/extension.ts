// The browser extension that uses a passkey on WhatsApp's page. It marks the console's
// page, and is spoken to by messages of the page to itself. It asks the person on a page of
// its own, and gives what was signed to the server: the console never sees it.
import type { Rest } from '../../api';
import type { Line } from './line';

const reasons = ['gesture', 'busy', 'cancelled', 'expired', 'refused', 'failed'] as const;

/** NoPasskey says why a passkey was not used; the message is the detail. */
export class NoPasskey extends Error {
  constructor(readonly why: (typeof reasons)[number], detail: string) {
    super(detail);
  }
}

let asked = 0; // questions of this page so far

interface Answer {
  passkey?: unknown;
  id?: unknown;
  error?: unknown;
  detail?: unknown;
}

/** extensionThere says whether the extension runs on this page. */
export function extensionThere(): boolean {
  return document.documentElement.dataset.passkeyExtension !== undefined;
}

/** extensionFits says whether there can be an extension for this page: others on the network could speak for a server without https. */
export function extensionFits(): boolean {
  return isSecureContext;
}

/**
 * useByExtension has the extension use the passkey that the line's pairing waits for, with
 * the person's session. It must follow a click. It throws a NoPasskey.
 */
export function useByExtension(line: Line, token: string, end: AbortSignal): Promise<void> {
  const id = ++asked;
  return new Promise((resolve, reject) => {
    addEventListener('message', function hear(e: MessageEvent) {
      const answer = e.data as Answer | null;
      if (e.source !== window || answer?.passkey !== 'used' || answer.id !== id) return;
      removeEventListener('message', hear);
      if (answer.error === '') resolve();
      else reject(new NoPasskey(reasons.find((r) => r === answer.error) ?? 'failed', String(answer.detail ?? '')));
    }, { signal: end });
    end.addEventListener('abort', () => {
      postMessage({ passkey: 'leave', id }, location.origin);
      reject(new NoPasskey('cancelled', ''));
    }, { once: true });
    postMessage({ passkey: 'use', id, line: { licenseId: line.licenseId, messenger: line.messenger }, token }, location.origin);
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
