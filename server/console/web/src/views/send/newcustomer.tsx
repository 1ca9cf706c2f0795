// Writes as a customer who may not exist yet: their first message begins a chat.
import { useEffect, useId, useState } from 'preact/hooks';
import { path } from '../../route';
import { words } from '../../words';
import { postInbound } from './compose';
import type { LineState } from './linestate';
import { newId } from './line';
import { OutcomeLine } from './outcome';

const say = words.send.start;

export function NewCustomer(props: { state: LineState; onDone?: () => void }) {
  const { line, chats, firstContact } = props.state;
  const { deed } = firstContact; // of the line, because its event is shown in the chat that opens
  const id = useId();
  useEffect(() => deed.clear(), []);
  const [messageId] = useState(newId);
  const [sample] = useState(() => {
    const known = new Set(chats.items.peek().map((c) => (c.phone ?? c.id).replace(/\D/g, '')));
    return words.send.samples.find((s) => !known.has(s.phone.replace(/\D/g, ''))) ?? { name: '', phone: '', text: words.send.samples[0]!.text };
  });
  const [error, setError] = useState('');

  async function submit(e: SubmitEvent) {
    e.preventDefault();
    if (deed.busy) return;
    const form = new FormData(e.currentTarget as HTMLFormElement);
    const name = String(form.get('name')).trim();
    const digits = String(form.get('phone')).replace(/\D/g, '');
    if (!/^[1-9]\d{4,14}$/.test(digits)) return setError(say.phoneError);
    setError('');
    const chat = { id: digits, phone: digits, ...(name && { name }) };
    const author = { id: digits, name, phone: digits };
    const result = await postInbound(deed, line, { id: messageId, chat, fromUser: author, type: 'text', message: { text: String(form.get('text')) } });
    if (result === undefined) return;
    firstContact.chatId = result.chatId;
    props.onDone?.();
    location.hash = path('send', line.licenseId, line.messenger, result.chatId);
  }

  return (
    <form class="newcustomer" onSubmit={(e) => void submit(e)} data-test="new-customer-form">
      <div class="field"><label for={`${id}n`}>{say.name}</label><input class="input" id={`${id}n`} name="name" autofocus defaultValue={sample.name} maxLength={255} autocomplete="off" /></div>
      <div class="field">
        <label for={`${id}p`}>{say.phone}</label>
        <input class="input" id={`${id}p`} name="phone" type="tel" defaultValue={sample.phone} required maxLength={32} autocomplete="off" aria-invalid={error !== ''} aria-describedby={`${id}f`} />
        <p class="error-text" id={`${id}f`} role="alert">{error}</p>
      </div>
      <div class="field"><label for={`${id}t`}>{say.text}</label><textarea class="input" id={`${id}t`} name="text" rows={2} defaultValue={sample.text} required maxLength={65536} /></div>
      <button class="button primary" disabled={deed.busy}>{deed.busy ? say.busy : say.submit}</button>
      <OutcomeLine deed={deed} />
    </form>
  );
}
