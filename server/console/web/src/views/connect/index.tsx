// Connect: how your own program gets the events, as code to copy and to try.
import { useState } from 'preact/hooks';
import { eventsOn } from '@chatcast/events';
import { config, endpoint } from '../../config';
import { tokenPlaceholder } from '../../handover';
import { currentToken, licenses, me } from '../../session';
import { path, route } from '../../route';
import { Code } from '../../ui/code';
import { CopyButton } from '../../ui/copy';
import { Tabs } from '../../ui/tabs';
import { words } from '../../words';
import { choices, lineOf } from './channels';
import { ChannelPick, EventPick } from './pick';
import type { Block, Snippet } from './snippet';
import { kinds, snippet, type Kind } from './snippets';
import { ChannelTable } from './table';
import { openTry } from './tryit';
import './connect.css';

const w = words.connect;
const tabs = kinds.map((id) => ({ id, name: w.kind[id] }));

export function Connect() {
  const who = me.value;
  const all = who === null ? [] : choices(who, licenses.value);
  const [picked, setPicked] = useState('');
  const [off, setOff] = useState<ReadonlySet<string>>(new Set()); // events that are not wanted
  const [withToken, setWithToken] = useState(false);
  const channel = all.find((c) => c.channel === picked) ?? all[0];
  const kind = (kinds as readonly string[]).includes(route.value.rest[0] ?? '') ? (route.value.rest[0] as Kind) : 'pusher8';
  if (who === null || channel === undefined) return <p class="empty">{w.noChannel}</p>;

  const possible = eventsOn(channel.channel);
  const events = possible.filter((e) => !off.has(e));
  const made = snippet(kind, {
    key: config.value?.key ?? '', at: endpoint(config.value), channel: channel.channel, events, email: who.email,
    line: lineOf(channel.channel, licenses.value),
  });
  return (
    <div class="view connect">
      <header class="head">
        <h1>{words.nav.connect}</h1>
        <p class="muted">{w.lead}</p>
      </header>
      <section class="card picks">
        <ChannelPick choices={all} current={channel.channel} onPick={setPicked} />
        {made.run === null
          ? <p class="muted small">{w.everyEvent}</p>
          : <EventPick possible={possible} off={off} onChange={setOff} />}
      </section>
      <Tabs label={w.kinds} tabs={tabs} current={kind} onSelect={(id) => location.replace(path('connect', id))}>
        <TokenBar withToken={withToken} onChange={setWithToken} snippet={made} title={w.kind[kind]} ready={events.length > 0} />
        {made.blocks.map((b) => <CodeBlock key={`${kind} ${b.name}`} block={b} withToken={withToken} />)}
      </Tabs>
      <ChannelTable />
    </div>
  );
}

interface TokenBarProps {
  withToken: boolean;
  onChange: (on: boolean) => void;
  snippet: Snippet;
  title: string;
  ready: boolean; // there is something to listen to
}

function TokenBar(props: TokenBarProps) {
  const run = props.snippet.run;
  return (
    <div class="tokenbar">
      <div class="row">
        {run !== null && (
          <>
            <button class="button primary" data-test="try" disabled={!props.ready} onClick={() => openTry({ ...run, title: props.title })}>{w.tryIt}</button>
            <span class="muted small">{props.ready ? w.tryNote : w.noEvent}</span>
            <span class="space" />
          </>
        )}
        <label class="check">
          <input type="checkbox" data-test="token" checked={props.withToken} onChange={(e) => props.onChange(e.currentTarget.checked)} /> {w.useToken}
        </label>
      </div>
      <p class={props.withToken ? 'note warn small' : 'muted small'} role="status">{props.withToken ? w.tokenWarning : run === null ? w.tokenHint(tokenPlaceholder) : w.tokenHintTry(tokenPlaceholder)}</p>
    </div>
  );
}

function CodeBlock(props: { block: Block; withToken: boolean }) {
  const b = props.block;
  // The token is read when it is needed, because it changes while the page is open.
  const code = () => (props.withToken ? b.code.replaceAll(tokenPlaceholder, currentToken() || tokenPlaceholder) : b.code);
  return (
    <section class="card block">
      <header>
        <h2>{b.name}</h2>
        <CopyButton text={code} name={w.copyCode(b.name)} />
      </header>
      {b.note && <p class="muted small">{b.note}</p>}
      <Code code={code()} language={b.language} label={w.codeOf(b.name)} />
    </section>
  );
}
