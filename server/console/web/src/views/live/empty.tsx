// The placeholder for an empty list.
import { config, endpoint } from '../../config';
import { counts } from '../../log';
import { path } from '../../route';
import { isAdmin, licenses } from '../../session';
import { CopyButton } from '../../ui/copy';
import { LiveIcon } from '../../ui/icons';
import { words } from '../../words';
import { cleared, clearFilter, shown } from './state';

const w = words.live.empty;

export function Empty() {
  if (shown.value.total > 0) {
    return (
      <div class="empty" data-test="filtered">
        <p>{w.filtered(shown.value.total)}</p>
        <button class="button" onClick={clearFilter}>{words.live.filter.clear}</button>
      </div>
    );
  }
  if (cleared.value !== null) return <p class="empty muted">{w.cleared}</p>;
  return <Teach />;
}

/**
 * nothingYet says whether no line has carried an event. Channels of companies and
 * users do not count: they carry the user's own coming online.
 */
export function nothingYet(): boolean {
  for (const channel of counts.keys()) if (!/^private-v1\.(companies|users)\.\d+$/.test(channel)) return false;
  return true;
}

/** Teach explains the view, and how to make something happen. */
export function Teach() {
  const line = licenses.value.find((l) => isAdmin(l.companyId) && l.messenger.length > 0);
  return (
    <div class="empty live-empty" data-test="empty">
      <LiveIcon />
      <h2>{w.title}</h2>
      {licenses.value.length === 0 ? <p class="muted">{w.noLines}</p> : <p class="muted">{w.lead}</p>}
      {line !== undefined && <>
        <p class="muted">{w.make}</p>
        <a class="button primary" href={path('send', line.licenseId, line.messenger[0]!.type)}>{w.send}</a>
        <p class="muted small">{w.orCurl}</p>
        <Curl command={curl(endpoint(config.value).url, line.licenseId, line.messenger[0]!.type)} />
      </>}
    </div>
  );
}

function Curl(props: { command: string }) {
  return (
    <div class="live-curl card">
      <pre tabIndex={0}>{props.command}</pre>
      <CopyButton text={() => props.command} />
    </div>
  );
}

function curl(origin: string, licenseId: number, messenger: string): string {
  const message = { id: 'm-1', type: 'text', message: { text: w.hello }, chat: { id: '79990001122' }, fromUser: { id: '79990001122', name: w.name } };
  return `curl ${origin}/v1/licenses/${licenseId}/messengers/${messenger}/inbound \\
  -H 'Authorization: YOUR_ACCESS_TOKEN' \\
  -d '${JSON.stringify({ messages: [message] })}'`;
}
