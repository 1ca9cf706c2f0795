// The short name of a channel, as people call it.
import { words } from '../../words';

const forms: [RegExp, (m: RegExpExecArray) => string][] = [
  [/^private-v1\.licenses\.(\d+)\.messengers\.(.+)$/, (m) => `${m[2]} · ${m[1]}`],
  [/^private-v1\.companies\.(\d+)\.users\.\d+$/, (m) => words.live.channel.companyUser(m[1]!)],
  [/^private-v1\.companies\.(\d+)$/, (m) => words.live.channel.company(m[1]!)],
  [/^private-v1\.users\.(\d+)$/, (m) => words.live.channel.user(m[1]!)],
];

export function shortChannel(name: string): string {
  for (const [form, short] of forms) {
    const m = form.exec(name);
    if (m !== null) return short(m);
  }
  return name;
}

/** family is the kind of an event, for its colour. */
export function family(event: string): 'message' | 'chat' | 'employee' | 'response' | 'other' {
  for (const f of ['message', 'chat', 'employee'] as const) if (event.startsWith(f)) return f;
  return event.startsWith('quickResponse') ? 'response' : 'other';
}
