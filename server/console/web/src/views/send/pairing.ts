// A pairing, as this page follows it: what to show until the phone has accepted or
// the time is over. The server keeps the pairing going, and events bring each next
// code. If no event comes, the page asks the server after a code has expired.
import { signal } from '@preact/signals';
import { call, ApiError, picture, serverTime, type Rest } from '../../api';
import { onEvent } from '../../log';
import { errorText } from '../../socket';
import { linePath, type Line } from './line';
import { aboutLine, type LineEvent } from './stand';
import type { Standing } from './standing';

/** What is shown: the QR code as a picture (the address of a blob), or a code to type. */
export interface Shown {
  picture: string;
  code: string;
  expiresAt: number; // unix seconds
}

/** PasskeyShown is the passkey step of a pairing, and how long it waits. */
export interface PasskeyShown {
  step: Rest['PasskeyStep'];
  expiresAt: number; // unix seconds
}

/**
 * passkey: WhatsApp has asked for the account's passkey. asking: for a code; number: the person is asked for their phone number;
 * reconnecting: the account was paired before.
 */
export type Phase = 'asking' | 'showing' | 'number' | 'scanned' | 'passkey' | 'reconnecting' | 'connected' | 'over' | 'failed';

const grace = 2000; // milliseconds that the event of the next code may take

export class PairingRun {
  readonly phase = signal<Phase>('asking');
  readonly way = signal<'qr' | 'code'>('qr');
  readonly shown = signal<Shown | null>(null);
  readonly passkey = signal<PasskeyShown | null>(null);
  readonly error = signal('');
  readonly why = signal(''); // it is over; empty: the code was not used in time

  private round = 0; // of what is shown: a newer one makes an older one void
  private switching = false; // to another way: the end of the old one is no news
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly end = new AbortController();
  private readonly deaf: () => void;

  constructor(private readonly standing: Standing) {
    this.deaf = onEvent((e) => {
      const event = aboutLine(standing.line, e.event, e.data);
      if (event !== undefined) this.hear(event);
    });
    void this.byQR();
  }

  get line(): Line {
    return this.standing.line;
  }

  close(): void {
    this.deaf();
    this.end.abort();
    clearTimeout(this.timer);
    this.show(null);
  }

  /** byQR begins a pairing, or continues the one that the server already shows. */
  byQR(): Promise<void> {
    this.way.value = 'qr';
    return this.ask(async () => {
      // A code to type stays valid until its time is over, so choosing another way
      // ends its pairing.
      if (this.shown.peek()?.code) await this.leave();
      return this.post('connect');
    });
  }

  /** toCode asks for the phone's number, which is needed for a code to type. */
  toCode(): void {
    this.way.value = 'code';
    this.error.value = '';
    this.phase.value = this.shown.peek()?.code ? 'showing' : 'number';
  }

  byPhone(phone: string): Promise<void> {
    this.way.value = 'code';
    return this.ask(() => this.post('pairingCode', { phone }));
  }

  private post(what: string, body?: object): Promise<Rest['Pairing']> {
    return call<Rest['Pairing']>('POST', `${linePath(this.standing.line)}/${what}`, body, { signal: this.end.signal });
  }

  /** leave ends the running pairing, unless the phone was quicker. */
  private async leave(): Promise<void> {
    if ((await this.standing.read())?.state !== 'pairing') return;
    this.switching = true;
    await call('DELETE', `${linePath(this.standing.line)}/session`, undefined, { signal: this.end.signal });
  }

  private async ask(request: () => Promise<Rest['Pairing']>): Promise<void> {
    const round = ++this.round;
    this.error.value = '';
    if (this.phase.peek() !== 'passkey') this.phase.value = 'asking';
    try {
      const answer = await request();
      if (round === this.round) await this.take(answer);
    } catch (e) {
      if (round === this.round && !this.end.signal.aborted) this.failed(e);
    } finally {
      this.switching = false;
    }
  }

  private failed(e: unknown): void {
    this.show(null);
    this.error.value = errorText(e);
    this.phase.value = this.way.peek() === 'code' ? 'number' : 'failed';
    // 409: a phone was paired meanwhile.
    if (e instanceof ApiError && e.status === 409) void this.standing.read().then((s) => s?.connected && (this.phase.value = 'connected'));
  }

  private async take(p: Rest['Pairing']): Promise<void> {
    if (p.passkey !== null) {
      this.round++;
      this.show(null);
      if (p.passkey.options?.challenge !== this.passkey.peek()?.step.options?.challenge) this.error.value = '';
      this.passkey.value = { step: p.passkey, expiresAt: p.expiresAt };
      this.phase.value = 'passkey';
      this.wait(p.expiresAt);
      return;
    }
    if (p.qr === null && p.code === null) {
      this.phase.value = 'reconnecting';
      return;
    }
    const round = ++this.round;
    let address = '';
    if (p.code === null) {
      if (this.way.peek() === 'code') return; // somebody is typing their number meanwhile
      const blob = await picture(`${linePath(this.standing.line)}/qr?format=png`, { signal: this.end.signal });
      if (round !== this.round || this.end.signal.aborted) return;
      address = URL.createObjectURL(blob);
    }
    this.way.value = p.code === null ? 'qr' : 'code';
    this.show({ picture: address, code: p.code ?? '', expiresAt: p.expiresAt });
    this.phase.value = 'showing';
  }

  private show(next: Shown | null): void {
    const before = this.shown.peek();
    if (before?.picture) URL.revokeObjectURL(before.picture);
    this.shown.value = next;
    clearTimeout(this.timer);
    if (next !== null) this.wait(next.expiresAt);
  }

  private wait(until: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.late(), Math.max(0, until - serverTime()) * 1000 + grace);
  }

  /** answerPasskey gives what the passkey has signed, or the code that the phone shows too. */
  async answerPasskey(answer: { assertion: object } | { code: string }): Promise<void> {
    this.error.value = '';
    try {
      await call('POST', `${linePath(this.standing.line)}/passkey`, answer, { signal: this.end.signal });
    } catch (e) {
      if (!this.end.signal.aborted && this.phase.peek() === 'passkey') this.error.value = errorText(e);
    }
  }

  /** cancelPasskey ends the pairing: nothing is paired then. */
  async cancelPasskey(): Promise<void> {
    try {
      await call('DELETE', `${linePath(this.standing.line)}/passkey`, undefined, { signal: this.end.signal });
    } catch (e) {
      if (!this.end.signal.aborted && this.phase.peek() === 'passkey') this.error.value = errorText(e);
    }
  }

  /** late asks the server for what an event should have brought. */
  private async late(): Promise<void> {
    const status = await this.standing.read();
    if (status?.state === 'pairing' || status?.state === 'passkey') return void this.ask(() => this.post('connect'));
    if (status?.connected && status.via !== 'bridge') this.phase.value = 'connected';
    else if (status !== undefined) this.finish(status.detail);
  }

  private finish(detail: string): void {
    this.round++;
    this.why.value = this.passkey.peek() === null ? '' : detail;
    this.passkey.value = null;
    this.show(null);
    this.phase.value = 'over';
  }

  private hear(event: LineEvent): void {
    if (event.name === 'qr') {
      this.take(event.item).catch((e: unknown) => !this.end.signal.aborted && this.failed(e));
      return;
    }
    const { state, phone, detail } = event.item;
    const open = this.phase.peek() === 'showing' || this.phase.peek() === 'passkey';
    if (state === 'connected') this.phase.value = 'connected';
    else if (state === 'connecting' && phone !== null && open) this.phase.value = 'scanned';
    else if ((state === 'disconnected' || state === 'logged_out') && !this.switching && open) this.finish(detail);
  }
}
