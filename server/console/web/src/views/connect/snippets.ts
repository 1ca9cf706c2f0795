// The snippets: text in, text out. Each is complete and works with this server when
// saved unchanged.
import { libraryPath, tokenPlaceholder, type Library } from '../../handover';
import { words } from '../../words';
import { curlBlocks } from './curl';
import { goBlocks } from './golang';
import { js, list } from './quote';
import type { Facts, Snippet } from './snippet';

export const kinds = ['pusher8', 'pusher7', 'echo', 'curl', 'go'] as const;
export type Kind = (typeof kinds)[number];

/** snippet has a placeholder for the token. */
export function snippet(kind: Kind, f: Facts): Snippet {
  switch (kind) {
    case 'pusher8': return page(f, ['pusher-js-8'], words.connect.code.pusher8, pusherScript(f, 8));
    case 'pusher7': return page(f, ['pusher-js-7'], words.connect.code.pusher7, pusherScript(f, 7));
    case 'echo': return page(f, ['pusher-js-8', 'laravel-echo-2'], words.connect.code.echo, echoScript(f));
    case 'curl': return { blocks: curlBlocks(f), run: null };
    case 'go': return { blocks: goBlocks(f), run: null };
  }
}

function page(f: Facts, libraries: Library[], about: string, script: string): Snippet {
  const code = `<!doctype html>
<meta charset="utf-8">
<title>chatcast</title>
<!-- ${about} -->
${libraries.map((name) => `<script src="${f.at.url}${libraryPath(name)}"></script>`).join('\n')}
<script>
${script}</script>
`;
  return { blocks: [{ name: words.connect.page, language: 'html', code, note: words.connect.pageNote }], run: { libraries, script } };
}

function reach(f: Facts): string {
  return `  wsHost: ${js(f.at.host)},
  wsPort: ${f.at.port},
  wssPort: ${f.at.port},
${f.at.path && `  wsPath: ${js(f.at.path)},\n`}  forceTLS: ${f.at.tls},
  enabledTransports: ['ws', 'wss'],
`;
}

const authEndpoint = (f: Facts) => js(`${f.at.url}/broadcasting/auth`);

function pusherScript(f: Facts, version: 7 | 8): string {
  const c = words.connect.code;
  const cluster = version === 8 ? `  cluster: '', // ${c.cluster}\n` : '';
  const auth = version === 8
    ? `  channelAuthorization: {
    transport: 'ajax',
    endpoint: ${authEndpoint(f)},
    headers: { Authorization: ${js(tokenPlaceholder)} },
  },
`
    : `  authEndpoint: ${authEndpoint(f)},
  auth: { headers: { Authorization: ${js(tokenPlaceholder)} } },
  disableStats: true,
`;
  return `const pusher = new Pusher(${js(f.key)}, {
${cluster}${reach(f)}${auth}});
pusher.connection.bind('state_change', (change) => console.log('connection', change.current));
pusher.connection.bind('error', (error) => console.error('connection', error));

const channel = pusher.subscribe(${js(f.channel)});
channel.bind('pusher:subscription_succeeded', () => console.log('subscribed to', channel.name));
channel.bind('pusher:subscription_error', (error) => console.error('refused', error));

const events = ${list(f.events)};
for (const event of events) channel.bind(event, (data) => console.log(event, data));
`;
}

function echoScript(f: Facts): string {
  const c = words.connect.code;
  return `// ${c.echoImport}
const echo = new Echo.default({
  broadcaster: 'pusher',
  key: ${js(f.key)},
  cluster: '', // ${c.cluster}
${reach(f)}  authEndpoint: ${authEndpoint(f)},
  bearerToken: ${js(tokenPlaceholder)},
});
echo.connector.pusher.connection.bind('state_change', (change) => console.log('connection', change.current));

const channel = echo.private(${js(f.channel.replace(/^private-/, ''))}); // ${c.echoPrefix}
channel.subscribed(() => console.log('subscribed to', channel.name));
channel.error((error) => console.error('refused', error));

const events = ${list(f.events)};
for (const event of events) channel.listen('.' + event, (data) => console.log(event, data)); // ${c.echoDot}
`;
}
