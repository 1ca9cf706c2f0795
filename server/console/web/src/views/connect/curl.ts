// The snippets for curl: a token, the events, a message in and one out.
import { tokenPlaceholder } from '../../handover';
import { words } from '../../words';
import { sh } from './quote';
import type { Block, Facts } from './snippet';

export function curlBlocks(f: Facts): Block[] {
  const w = words.connect.curl;
  const blocks: Block[] = [
    { name: w.token, language: 'sh', code: tokenCode(f), note: w.tokenNote },
    { name: w.read, language: 'sh', code: readCode(f), note: w.readNote },
  ];
  if (f.line === null) return blocks;
  const url = `${f.at.url}/v1/licenses/${f.line.licenseId}/messengers/${encodeURIComponent(f.line.type)}`;
  return [
    ...blocks,
    { name: w.inbound, language: 'sh', code: inboundCode(url), note: w.inboundNote },
    { name: w.answer, language: 'sh', code: answerCode(url) },
  ];
}

function tokenCode(f: Facts): string {
  return `TOKEN=${sh(tokenPlaceholder)}
# ${words.connect.curl.orFetch}
# TOKEN=$(curl -fsS ${sh(`${f.at.url}/v1/tokens`)} --data-urlencode ${sh(`email=${f.email}`)} \\
#   --data-urlencode 'password=YOUR_PASSWORD' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')
`;
}

function readCode(f: Facts): string {
  const url = `${f.at.url}/v1/events?channel=${encodeURIComponent(f.channel)}`;
  return `EVENTS=${sh(url)}
AFTER=$(curl -fsS "$EVENTS&limit=0" -H "Authorization: $TOKEN" | sed 's/.*"lastId":\\([0-9]*\\).*/\\1/')
while PAGE=$(curl -fsS "$EVENTS&after=$AFTER&wait=60" -H "Authorization: $TOKEN"); do
  printf '%s\\n' "$PAGE"
  AFTER=$(printf '%s' "$PAGE" | sed 's/.*"nextAfter":\\([0-9]*\\).*/\\1/')
done
`;
}

function inboundCode(url: string): string {
  return `curl -sS ${sh(`${url}/inbound`)} \\
  -H "Authorization: $TOKEN" -H 'Content-Type: application/json' \\
  -d '{"messages":[{"id":"'$(date +%s)-$$'","type":"text","message":{"text":"Hello! Is my order ready?"},
       "chat":{"id":"79990001122"},"fromUser":{"id":"79990001122","name":"Anna Petrova"}}]}'
`;
}

function answerCode(url: string): string {
  return `curl -sS ${sh(`${url}/chats/79990001122/messages/text`)} \\
  -H "Authorization: $TOKEN" -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s)-$$" \\
  -d '{"text":"Good day! It is on its way."}'
`;
}
