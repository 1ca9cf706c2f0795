// What the server tells everybody: where to connect, and which build of the program
// it is.
import { signal } from '@preact/signals';
import { request } from './api';
import { base } from './base';

interface ServerConfig {
  version: string;
  commit: string;
  build: string; // of this page
  key: string; // of the Pusher app that carries the CRM's channels
  publicUrl: string; // the server's public address; empty: the address of this page
}

export const config = signal<ServerConfig | null>(null);

/** Whether the running server is another build than the one that this page came from. */
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
  path: string; // before every path of the server: '' or '/chat'
  url: string; // https://host:port/path
}

/** endpoint is where clients reach the server: its public address, or this page's. */
export function endpoint(c: ServerConfig | null): Endpoint {
  let url = new URL(base + '/', location.origin);
  if (c?.publicUrl) {
    try {
      url = new URL(c.publicUrl);
    } catch {
      // not a valid address: this page's is used
    }
  }
  const tls = url.protocol === 'https:';
  const path = url.pathname.replace(/\/$/, '');
  return { host: url.hostname, port: Number(url.port) || (tls ? 443 : 80), tls, path, url: url.origin + path };
}
