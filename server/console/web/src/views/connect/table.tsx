// Which channel carries which events, for those who choose what to listen to.
import { companyChannel, eventsOn, licenseChannel, userChannel } from '@chatcast/events';
import { local } from '../../base';
import { words } from '../../words';

const w = words.connect.table;

const rows = [
  { name: 'private-v1.licenses.{licenseId}.messengers.{type}', who: w.lines, events: eventsOn(licenseChannel(1, 'telegram')) },
  { name: 'private-v1.companies.{companyId}', who: w.company, events: eventsOn(companyChannel(1)) },
  { name: 'private-v1.users.{userId}', who: w.user, events: eventsOn(userChannel(1)) },
  { name: 'private-v1.companies.{companyId}.users.{userId}', who: w.mine, events: w.mineEvents },
  { name: 'presence-v1.…', who: w.presence, events: w.presenceEvents },
];

export function ChannelTable() {
  return (
    <section class="card carries" aria-labelledby="carries">
      <header>
        <h2 id="carries">{w.title}</h2>
        <p class="muted small">{w.more} <a href={local('/docs')} target="_blank" rel="noopener">{w.docs}</a></p>
      </header>
      <table>
        <thead><tr><th scope="col">{w.channel}</th><th scope="col">{w.who}</th><th scope="col">{w.events}</th></tr></thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.name}>
              <th scope="row" data-label={w.channel}><code class="break">{r.name}</code></th>
              <td data-label={w.who}>{r.who}</td>
              <td data-label={w.events}>
                {typeof r.events === 'string' ? r.events : r.events.map((e) => (
                  <a key={e} class="schema mono" href={local(`/schemas/${e}.json`)} target="_blank" rel="noopener" title={w.schema(e)}>{e}</a>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
