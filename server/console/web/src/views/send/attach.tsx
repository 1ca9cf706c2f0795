// The attachment of a message, or what replaces its text: a file (by link if the
// customer sends it), or a place.
import { useId, useRef } from 'preact/hooks';
import { ClipIcon, PlaceIcon } from '../../ui/icons';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { OutcomeLine } from './outcome';
import type { Sending } from './sending';
import type { Talk } from './talk';

const say = words.send.composer;

interface Props {
  talk: Talk;
  sending: Sending;
  customer: boolean;
  caption: string; // the text in the composer, which goes with the file
  onSent: () => void;
}

export function Attach(props: Props & { onLink: () => void }) {
  const { talk, sending, customer, caption, onSent } = props;
  const input = useRef<HTMLInputElement>(null);
  async function attach(f: File | undefined) {
    if (f === undefined || talk.deed.busy) return;
    const sent = await sending.file(f, caption);
    if (input.current) input.current.value = ''; // the same file may be chosen again
    if (sent) onSent();
  }
  return (
    <>
      {!customer && <input ref={input} type="file" class="visually-hidden" tabIndex={-1} aria-hidden="true" data-test="file" onChange={(e) => void attach(e.currentTarget.files?.[0])} />}
      <button
        type="button" class="button quiet icon" aria-label={customer ? say.link : say.attach} title={customer ? say.link : say.attach}
        onClick={() => (customer ? props.onLink() : input.current?.click())}
      ><ClipIcon /></button>
      <button type="button" class="button quiet icon" aria-label={say.place} title={say.place} onClick={() => talk.deed.busy || void sending.place()}><PlaceIcon /></button>
    </>
  );
}

/** LinkSheet asks for the address of the customer's file. */
export function LinkSheet(props: Props & { onClose: () => void }) {
  const { talk, sending, caption, onSent, onClose } = props;
  const id = useId();
  async function submit(e: SubmitEvent) {
    e.preventDefault();
    if (talk.deed.busy) return;
    const link = String(new FormData(e.currentTarget as HTMLFormElement).get('link')).trim();
    if (!(await sending.link(link, caption))) return;
    onSent();
    onClose();
  }
  return (
    <Sheet title={say.link} onClose={onClose}>
      <form class="newcustomer" onSubmit={(e) => void submit(e)}>
        <p class="muted">{say.linkLead}</p>
        <div class="field">
          <label for={id}>{say.linkLabel}</label>
          <input class="input" id={id} name="link" type="url" required maxLength={2048} pattern="https?://.+" placeholder="https://" autocomplete="off" />
        </div>
        <OutcomeLine deed={talk.deed} />
        <button class="button primary">{say.send}</button>
      </form>
    </Sheet>
  );
}
