// What may be signed, and for whom. Nothing of a server's answer is passed on: it is
// checked, and built again field by field.

/** whatsapp is the only page on which passkeys are used. */
export const whatsapp = 'https://web.whatsapp.com';

const sites = ['web.whatsapp.com', 'whatsapp.com']; // browsers let that page use their passkeys
const transports = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal'];
const verifications = ['required', 'preferred', 'discouraged'];
const longest = 10 * 60_000; // milliseconds

/** Refused is the reason why something is not done, as a sentence for a person. */
export class Refused extends Error {
  constructor(why, detail) {
    super(detail);
    this.why = why; // for a program: see content.js
  }
}

/** trusted says whether the console at this address may use passkeys: over https, or on this computer. */
export function trusted(address) {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3})$/.test(hostname));
}

/** timeLeft is how long a pairing still waits, in milliseconds. ahead is by how much the server's clock is ahead of ours. */
export function timeLeft(expiresAt, ahead, now = Date.now()) {
  if (!Number.isFinite(expiresAt)) throw new Refused('failed', 'The server does not say how long the pairing waits.');
  const left = expiresAt * 1000 - ahead - now;
  if (left <= 0) throw new Refused('expired', 'The time for the passkey is over.');
  return Math.min(left, longest);
}

/** toSign is the PublicKeyCredentialRequestOptionsJSON for a passkey step of a pairing. */
export function toSign(step, left) {
  const o = step?.options;
  if (o === null || typeof o !== 'object') throw new Refused('failed', 'No pairing of this line waits for a passkey.');
  if (step.origin !== whatsapp) throw new Refused('failed', 'The passkey is to be used on another page than WhatsApp’s.');
  if (!sites.includes(o.rpId)) throw new Refused('failed', 'The passkey of another site than WhatsApp is asked for.');
  if (!bytes(o.challenge, 16, 1024)) throw new Refused('failed', 'What is to be signed is not a challenge.');
  const allowed = o.allowCredentials ?? [];
  if (!Array.isArray(allowed) || allowed.length > 64 || !allowed.every((c) => c?.type === 'public-key' && bytes(c.id, 1, 1024))) {
    throw new Refused('failed', 'The list of passkeys is not valid.');
  }
  return {
    challenge: o.challenge,
    rpId: o.rpId,
    timeout: Math.min(Number.isFinite(o.timeout) && o.timeout > 0 ? o.timeout : longest, left),
    userVerification: verifications.includes(o.userVerification) ? o.userVerification : 'required',
    allowCredentials: allowed.map((c) => ({
      type: 'public-key', id: c.id, transports: (Array.isArray(c.transports) ? c.transports : []).filter((t) => transports.includes(t)),
    })),
  };
}

/** bytes says whether a text is base64url for this many bytes. */
function bytes(text, least, most) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]+$/.test(text)) return false;
  const n = Math.floor((text.length * 3) / 4);
  return n >= least && n <= most;
}

/** lineOf is the line that the console names, or undefined. */
export function lineOf(line) {
  const { licenseId, messenger } = line ?? {};
  return Number.isSafeInteger(licenseId) && licenseId > 0 && /^[A-Za-z]{1,64}$/.test(messenger) ? { licenseId, messenger } : undefined;
}
