// The attachment of a message, or what replaces its text: files (by link if the
// customer sends one), or a place.
import type { RefObject } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { ClipIcon, PlaceIcon } from '../../ui/icons';
import { Sheet } from '../../ui/sheet';
import { words } from '../../words';
import { OutcomeLine } from './outcome';
import type { Sending } from './sending';
import type { Talk } from './talk';

const say = words.send.composer;

/** Attach chooses files, or the link of one, or a place. Nothing goes out before it was seen. */
export function Attach(props: { customer: boolean; onFiles: (files: File[]) => void; onLink: () => void; onPlace: () => void }) {
  const { customer } = props;
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      {!customer && <FileInput input={input} onFiles={props.onFiles} />}
      <button
        type="button" class="button quiet icon" aria-label={customer ? say.link : say.attach} title={customer ? say.link : say.attach}
        onClick={() => (customer ? props.onLink() : input.current?.click())}
      ><ClipIcon /></button>
      <button type="button" class="button quiet icon" aria-label={say.place} title={say.place} onClick={props.onPlace}><PlaceIcon /></button>
    </>
  );
}

/** FileInput is the browser's dialog for files, without its looks. */
export function FileInput(props: { input: RefObject<HTMLInputElement | null>; onFiles: (files: File[]) => void }) {
  function chosen(e: { currentTarget: HTMLInputElement }) {
    props.onFiles([...(e.currentTarget.files ?? [])]);
    e.currentTarget.value = ''; // the same file may be chosen again
  }
  return <input ref={props.input} type="file" multiple class="visually-hidden" tabIndex={-1} aria-hidden="true" data-test="file" onChange={chosen} />;
}

interface Props {
  talk: Talk;
  sending: Sending;
  caption: string; // the text in the composer, which goes with the file
  onSent: () => void;
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
          <input class="input" id={id} name="link" type="url" autofocus required maxLength={2048} pattern="https?://.+" placeholder="https://" autocomplete="off" />
        </div>
        <OutcomeLine deed={talk.deed} />
        <button class="button primary">{say.send}</button>
      </form>
    </Sheet>
  );
}
