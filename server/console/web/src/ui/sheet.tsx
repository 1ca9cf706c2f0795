// A dialog over the page. It is the browser's own, which keeps the focus inside and
// closes on Escape. It stands beside the page: if it stood inside a part that is
// hidden, for example when the window gets narrower, it would be hidden too and
// leave the page inert.
//
// The focus goes to the first element that has autofocus, otherwise to the button that
// closes the sheet: a form's first field has it, or the first keys would close the form.
//
// A tall sheet has its full height from the beginning: what is loaded into its end moves
// nothing that is in sight.
import { createPortal, type ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { words } from '../words';
import { CloseIcon } from './icons';

export function Sheet(props: { title: string; tall?: boolean; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  const gone = useRef(false);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => {
      gone.current = true; // the event of this close comes late, when another sheet may be open
      dialog?.close();
    };
  }, []);
  return createPortal(
    <dialog
      ref={ref} class={props.tall ? 'sheet tall' : 'sheet'} aria-labelledby={id} onClose={() => !gone.current && props.onClose()}
      onClick={(e) => e.target === ref.current && ref.current?.close()}
    >
      <div class="sheet-head">
        <h2 id={id}>{props.title}</h2>
        <button class="button quiet icon" aria-label={words.close} onClick={() => ref.current?.close()}><CloseIcon /></button>
      </div>
      <div class="body">{props.children}</div>
    </dialog>,
    document.body,
  );
}
