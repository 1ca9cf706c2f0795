// The channels with subscribers, the fullest first.
import { useEffect, useId, useState } from 'preact/hooks';
import { companyChannel, presenceOf } from '@chatcast/events';
import { presentIn } from '../../presence';
import { me } from '../../session';
import { EyeIcon } from '../../ui/icons';
import { words } from '../../words';
import { number } from './numbers';
import type { Figures } from './poll';

const w = words.server;
type Channel = Figures['channels'][number];

interface Props {
  figures: Figures;
  prefix: string;
  onPrefix: (prefix: string) => void;
}

export function Channels(props: Props) {
  const { channels, channelsTotal } = props.figures;
  const apps = new Set(channels.map((c) => c.app)).size > 1; // only then does the app matter
  return (
    <section class="card channels" aria-labelledby="channels">
      <header>
        <h2 id="channels">{w.channels}</h2>
        <span class="muted small">{w.channelsCount(channels.length, channelsTotal)}</span>
        <span class="space" />
        <Prefix onPrefix={props.onPrefix} />
      </header>
      {channels.length === 0 ? <p class="muted">{props.prefix === '' ? w.noChannels : w.noneWithPrefix(props.prefix)}</p> : (
        <table>
          <thead>
            <tr>
              {apps && <th scope="col">{w.app}</th>}
              <th scope="col">{w.name}</th><th scope="col" class="number">{w.subscriptions}</th><th scope="col">{w.looking}</th>
            </tr>
          </thead>
          <tbody>
            {channels.map((c) => (
              <tr key={`${c.app} ${c.name}`}>
                {apps && <td data-label={w.app}>{c.app}</td>}
                <th scope="row"><code class="break">{c.name}</code></th>
                <td class="number" data-label={w.subscriptions}>{number(c.subscriptions)}</td>
                <td data-label={w.looking}>{c.users !== null && <Looking channel={c} users={c.users} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Looking says how many people look, and who they are if the company is this user's. */
function Looking(props: { channel: Channel; users: number }) {
  const own = me.value?.companies.find((c) => props.channel.name === presenceOf(companyChannel(c.id)));
  const here = own === undefined ? [] : presentIn.value.get(own.id) ?? [];
  return (
    <span class="looking">
      <EyeIcon /> {w.people(props.users)}
      {here.length > 0 && <span class="muted">{here.map((p) => p.name).join(', ')}</span>}
    </span>
  );
}

/** Prefix waits until the typing pauses before it filters. */
function Prefix(props: { onPrefix: (prefix: string) => void }) {
  const id = useId();
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => props.onPrefix(text.trim()), 250);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="prefix">
      <label for={id} class="small">{w.prefix}</label>
      <input id={id} class="input mono" type="search" maxLength={200} placeholder={w.prefixExample} value={text} autocomplete="off" spellcheck={false} onInput={(e) => setText(e.currentTarget.value)} />
    </div>
  );
}
