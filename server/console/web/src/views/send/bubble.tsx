// One message, its status, and its actions.
import { Component } from 'preact';
import { FailIcon, MoreIcon, TickIcon, TicksIcon, WaitIcon } from '../../ui/icons';
import { words } from '../../words';
import { Actions, Reports } from './actions';
import { author } from './author';
import { Body, Quote } from './content';
import { account, whyNoInbound } from './linestate';
import { failureText, idOf, inWords, nextStatuses, type Msg, type Reaction } from './messages';
import type { Talk } from './talk';
import { clock, full } from './time';

const say = words.send.message;

interface Props {
  m: Msg;
  talk: Talk;
  reactions: Reaction[];
  votes: ReadonlyMap<string, string[]> | undefined; // of a poll
  newest: boolean; // of the conversation
}

/** Bubble is drawn again only if its message changed, because a conversation has hundreds. */
export class Bubble extends Component<Props> {
  override shouldComponentUpdate(next: Props) {
    const { m, reactions, votes, newest } = this.props;
    return next.m !== m || next.newest !== newest || written(next.reactions) !== written(reactions) || cast(next.votes) !== cast(votes);
  }
  override render() {
    return <Message {...this.props} />;
  }
}

const cast = (v: Props['votes']) => (v === undefined ? '' : JSON.stringify([...v]));
const written = (r: Reaction[]) => r.map((x) => x.emoji + x.who).join(' ');

function Message(props: Props) {
  const { m, talk, reactions, newest } = props;
  const { line } = talk.state;
  const id = idOf(m);
  const group = m.chat.type === 'group';
  const opened = talk.opened.value === id;
  const who = author(m);
  const bar = `bar-${id}`;
  return (
    <article class="message" data-message={id} aria-label={who}>
      <div class="line">
        <div class={m.deletedAt !== null ? 'bubble gone' : 'bubble'}>
          {(group || m.side === 'out') && <p class="author">{who}</p>}
          {m.isForwarded && <p class="muted small">{say.forwarded}</p>}
          {m.deletedAt !== null ? <p class="muted">{say.deleted}</p> : (
            <>
              {m.quotedMessage !== null && <Quote quoted={m.quotedMessage} />}
              <Body m={m} votes={props.votes} />
            </>
          )}
          <p class="meta">
            {m.editedAt !== null && m.deletedAt === null && <span title={full(m.editedAt)}>{say.edited}</span>}
            <time title={full(m.time)}>{clock(m.time)}</time>
            {m.side === 'out' && m.deletedAt === null && <Status m={m} account={account(talk.state)} />}
          </p>
        </div>
        {line.write && m.deletedAt === null && m.chat.type !== 'channel' && (
          <button
            class="button quiet icon small dots" aria-expanded={opened} aria-controls={opened ? bar : undefined} aria-label={say.actions(who, inWords(m.type, m.message).slice(0, 60))}
            onClick={() => (talk.opened.value = opened ? '' : id)}
          ><MoreIcon /></button>
        )}
      </div>
      {m.status === 'failed' && <p class="error-text small">{say.failed(failureText(m.error, account(talk.state)))}</p>}
      {reactions.length > 0 && <Reactions reactions={reactions} />}
      {opened && <div class="bar" id={bar} role="group" aria-label={say.bar}><Actions m={m} talk={talk} reactions={reactions} /></div>}
      {whyNoInbound(talk.state) === '' && (opened || newest) && nextStatuses(m).length > 0 && <Reports m={m} talk={talk} />}
    </article>
  );
}

const ticks: Record<string, typeof TickIcon> = { '': WaitIcon, sent: TickIcon, delivered: TicksIcon, viewed: TicksIcon, failed: FailIcon };

function Status(props: { m: Msg; account: boolean }) {
  const { status, statusTime } = props.m;
  const Icon = ticks[status] ?? WaitIcon;
  const text = status === '' && props.account ? say.queued : say.status[status] ?? status;
  return (
    <span class={`tick ${status || 'waiting'}`} data-status={status} title={statusTime === null ? text : `${text}, ${full(statusTime)}`}>
      <Icon /><span>{text}</span>
    </span>
  );
}

function Reactions(props: { reactions: Reaction[] }) {
  const by = new Map<string, string[]>();
  for (const r of props.reactions) by.set(r.emoji, [...(by.get(r.emoji) ?? []), r.mine ? say.us : r.who || say.customer]);
  return (
    <ul class="reactions">
      {[...by].map(([emoji, who]) => (
        <li key={emoji} class="chip" title={say.reaction(emoji, who)}>
          <span aria-hidden="true">{emoji}{who.length > 1 && ` ${who.length}`}</span>
          <span class="visually-hidden">{say.reaction(emoji, who)}</span>
        </li>
      ))}
    </ul>
  );
}
