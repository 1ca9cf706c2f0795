// Calls of this server's own HTTP API: the same routes, with the same token, as any
// other program uses.
import { local } from './base';
import type { components } from './rest.generated';

/** The shapes of the API, by their names in openapi.yaml. */
export type Rest = components['schemas'];

/** ApiError is an error answer, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: Record<string, string> = {},
    readonly retryAfter = 0, // seconds
  ) {
    super(message);
  }
}

/**
 * How the token gets into a request, and what happens when it has expired. The
 * session provides it.
 */
interface Credentials {
  /** An access token that is valid for the next seconds; null: nobody is signed in. */
  accessToken(): Promise<string | null>;
  /** Reports that the token was refused. The result says whether there is another one now. */
  refused(token: string): Promise<boolean>;
}

let credentials: Credentials | null = null;

export function useCredentials(c: Credentials): void {
  credentials = c;
}

/**
 * call sends a request to the API and returns the data of the answer. It sends a
 * body that is FormData or URLSearchParams unchanged, and any other as JSON. It
 * throws an ApiError.
 */
export function call<T>(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<T> {
  return asUser((token) => request<T>(method, path, body, token, init));
}

/** picture fetches a picture that only the user may see. An <img> could not send the token. */
export function picture(path: string, init: RequestInit = {}): Promise<Blob> {
  return asUser(async (token) => {
    const answer = await ask('GET', path, undefined, token, init);
    return answer.ok ? answer.blob() : read<Blob>(answer); // which throws
  });
}

/** asUser sends a request with the current token, and once more if that token expired meanwhile. */
async function asUser<T>(asked: (token: string | null) => Promise<T>): Promise<T> {
  const token = (await credentials?.accessToken()) ?? null;
  if (credentials !== null && token === null) throw new ApiError(401, 'SignedOut', 'nobody is signed in'); // the server would answer the same
  try {
    return await asked(token);
  } catch (e) {
    if (e instanceof ApiError && token !== null && isTokenError(e) && (await credentials?.refused(token))) {
      return asked((await credentials?.accessToken()) ?? null);
    }
    throw e;
  }
}

function isTokenError(f: ApiError): boolean {
  return f.status === 401 || (f.status === 403 && f.code === 'ApiInvalidTokenError');
}

let ahead = 0; // seconds by which the server's clock was ahead of this computer's at its last answer

/**
 * serverTime is the time by the server's clock, in unix seconds. This computer's
 * clock may be hours off.
 */
export function serverTime(): number {
  return Date.now() / 1000 + ahead;
}

/** request is call without the session. With token null it sends no token. */
export async function request<T>(
  method: string, path: string, body: unknown, token: string | null, init: RequestInit = {},
): Promise<T> {
  return read<T>(await ask(method, path, body, token, init));
}

async function ask(method: string, path: string, body: unknown, token: string | null, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('Authorization', token);
  let payload: BodyInit | undefined;
  if (body instanceof FormData || body instanceof URLSearchParams) payload = body;
  else if (body !== undefined) {
    headers.set('Content-Type', 'application/json');
    payload = JSON.stringify(body);
  }
  let answer: Response;
  try {
    answer = await fetch(local(path), { ...init, method, headers, ...(payload === undefined ? {} : { body: payload }), cache: 'no-store', credentials: 'omit' });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new ApiError(0, 'Unreachable', 'the server does not answer');
  }
  const at = Date.parse(answer.headers.get('Date') ?? '');
  if (!Number.isNaN(at)) ahead = (at - Date.now()) / 1000;
  return answer;
}

interface Envelope {
  success?: boolean;
  data?: unknown;
  error?: { code?: string; message?: string; fields?: Record<string, string> };
}

async function read<T>(answer: Response): Promise<T> {
  let content: unknown;
  try {
    content = await answer.json();
  } catch {
    content = null;
  }
  const envelope = (content ?? {}) as Envelope;
  if (!answer.ok || envelope.success === false) {
    const e = envelope.error ?? {};
    throw new ApiError(
      answer.status, e.code ?? `HTTP ${answer.status}`, e.message ?? (answer.statusText || `the server answered ${answer.status}`),
      e.fields, Number(answer.headers.get('Retry-After')) || 0,
    );
  }
  return ('data' in envelope ? envelope.data : content) as T;
}
