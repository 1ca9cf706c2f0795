// What the server says of itself to everybody: where to connect, and which build
// of the program it is.
import { signal } from '@preact/signals';
import { request } from './api';

interface ServerConfig {
  version: string;
  commit: string;
  build: string; // of this page
  key: string; // of the Pusher app that carries the CRM's channels
  publicUrl: string; // how the world reaches the server; empty: as this page was reached
}

export const config = signal<ServerConfig | null>(null);

/** The server that runs now is another one than the one this page came from. */
export const serverChanged = signal<ServerConfig | null>(null);

export async function loadConfig(): Promise<ServerConfig> {
  const c = await request<ServerConfig>('GET', '/console.json', undefined, null);
  const first = config.peek();
  if (first === null) config.value = c;
  else if (first.version !== c.version || first.commit !== c.commit || first.build !== c.build || first.key !== c.key) serverChanged.value = c;
  return c;
}

export interface Endpoint {
  host: string;
  port: number;
  tls: boolean;
  origin: string; // https://host:port
}

/** endpoint is where clients reach the server: its public address, or that of this page. */
export function endpoint(c: ServerConfig | null): Endpoint {
  let url = new URL(location.origin);
  if (c?.publicUrl) {
    try {
      url = new URL(c.publicUrl);
    } catch {
      // as this page was reached, then
    }
  }
  const tls = url.protocol === 'https:';
  return { host: url.hostname, port: Number(url.port) || (tls ? 443 : 80), tls, origin: url.origin };
}
