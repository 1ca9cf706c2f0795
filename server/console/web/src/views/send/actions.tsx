// The actions on one message: as the operator or the customer, whichever is writing
// now, and as the bridge, which reports the message's status.
import { useEffect, useState } from 'preact/hooks';
import { connection } from '../../socket';
import { words } from '../../words';
import { postInbound, mayEdit, mayRemove, remove, report, send } from './compose';
import { customerOf } from './customer';
import { newId } from './line';
import { idOf, nextStatuses, type Msg, type Reaction } from './messages';
import type { Talk } from './talk';

const say = words.send.message;
const emojis = ['👍', '❤️', '😂', '🙏'];

export function Actions(props: { m: Msg; talk: Talk; reactions: Reaction[] }) {
  const { m, talk, reactions } = props;
  const { line } = talk.state;
  const customer = talk.as.value === 'customer';
  const [sure, setSure] = useState(false);
  useEffect(() => setSure(false), [idOf(m)]);
  const done = () => (talk.opened.value = '');

  async function react(emoji: string) {
    const reaction = { messageId: m.id, emoji };
    if (customer) {
      const who = customerOf(talk);
      if (await postInbound(talk.deed, line, { id: newId(), ...who, type: 'reaction', message: { reaction } })) done();
    } else if (await send(talk.deed, line, talk.chatId, { kind: 'reaction', body: reaction, key: newId() })) done();
    if (connection.peek().state !== 'connected') void talk.history.readNewest();
  }
  async function takeOut() {
    if (!sure) return setSure(true);
    if (!(await remove(talk.deed, line, talk.chatId, m))) return;
    talk.history.saw({ ...m, deletedAt: Math.floor(Date.now() / 1000) });
    done();
  }

  return (
    <>
      <button class="button small" onClick={() => { talk.editing.value = null; talk.reply.value = m; done(); }}>{say.reply}</button>
      {m.type !== 'reaction' && (m.subtype !== 'status' || customer) && emojis.map((e) => <button key={e} class="button small emoji" aria-label={say.react(e)} title={say.react(e)} onClick={() => void react(e)}>{e}</button>)}
      {reactions.some((r) => r.mine !== customer) && <button class="button small" onClick={() => void react('')}>{say.unreact}</button>}
      {!customer && mayEdit(line, m) && <button class="button small" onClick={() => { talk.reply.value = null; talk.editing.value = m; done(); }}>{say.edit}</button>}
      {!customer && mayRemove(line, m) && <button class={sure ? 'button small danger' : 'button small'} onClick={() => void takeOut()}>{sure ? say.removeSure : say.remove}</button>}
    </>
  );
}

/** Reports offers the statuses that a bridge could report next for a message of ours. */
export function Reports(props: { m: Msg; talk: Talk }) {
  const { m, talk } = props;
  async function tell(type: ReturnType<typeof nextStatuses>[number]) {
    if ((await report(talk.deed, talk.state.line, talk.chatId, m, type)) && connection.peek().state !== 'connected') void talk.history.readNewest();
  }
  return (
    <div class="bar reports" role="group" aria-label={say.report}>
      <span class="muted small">{say.report}</span>
      {nextStatuses(m).map((s) => <button key={s} class="button small" data-report={s} onClick={() => void tell(s)}>{say.reports[s]}</button>)}
    </div>
  );
}
