// Authorization for a channel. pusher-js asks only once per connection. If there is
// no real answer (the server is starting, a proxy has no server, too many clients
// ask), this file asks again. Otherwise the channel would stay silent as long as the
// connection lasts.
import { call, ApiError } from './api';

interface Admission {
  auth: string;
  channel_data?: string;
}

const patience = 10_000; // milliseconds, for an answer
const pauses = [1, 2, 4, 8]; // seconds before the next tries; after that longPause
const longPause = 30;

/** Applicant is what a request says: for which channel, on which socket, and what else. */
interface Applicant {
  socketId: string;
  channelName: string;
  fields?: () => Record<string, string>; // they may change between two tries
}

/**
 * admit asks until there is an answer. When wanted turns false it stops, and its
 * promise never settles. troubled is called once if it takes long.
 */
export async function admit(
  who: Applicant, wanted: () => boolean, troubled: (e: ApiError) => void,
): Promise<Admission> {
  for (let tries = 0; ; tries++) {
    const body = new URLSearchParams({ socket_id: who.socketId, channel_name: who.channelName, ...who.fields?.() });
    let answer: Admission | ApiError;
    try {
      answer = await call<Admission>('POST', '/broadcasting/auth', body, { signal: AbortSignal.timeout(patience) });
    } catch (e) {
      if (!(e instanceof ApiError)) throw e;
      answer = e;
    }
    if (!wanted()) return new Promise<never>(() => undefined);
    if (!(answer instanceof ApiError)) return answer;
    if (answer.status !== 0 && answer.status !== 429 && answer.status < 500) throw answer;
    if (tries === pauses.length) troubled(answer);
    const seconds = Math.max(pauses[tries] ?? longPause, answer.retryAfter);
    await new Promise((done) => setTimeout(done, seconds * 1000));
    if (!wanted()) return new Promise<never>(() => undefined);
  }
}
