// Files that are dropped or pasted into a conversation. They are shown before they go.
import type { HTMLAttributes } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { words } from '../../words';
import type { Talk } from './talk';
import { filesOf } from './tray';

const say = words.send.files;

const hasFiles = (data: DataTransfer | null) => data?.types.includes('Files') ?? false;

/** useDrop takes files for the conversation. over says whether some are held above it. */
export function useDrop(talk: Talk): { over: boolean; handlers: HTMLAttributes<HTMLElement> } {
  const [over, setOver] = useState(false);
  const depth = useRef(0); // of entered elements: leaving a child is not leaving
  const mine = talk.state.line.write && talk.state.chats.open.value.chat?.type !== 'channel';

  function take(data: DataTransfer | null) {
    const { files, folders } = filesOf(data);
    if (talk.as.peek() === 'customer') return talk.deed.failed(say.asCustomer);
    if (folders) talk.deed.failed(say.folders);
    if (files.length > 0) talk.tray.add(files);
  }
  const count = (by: number, e: DragEvent) => {
    if (!mine || !hasFiles(e.dataTransfer)) return;
    e.preventDefault();
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  return {
    over,
    handlers: {
      onDragEnter: (e: DragEvent) => count(1, e),
      onDragLeave: (e: DragEvent) => count(-1, e),
      onDragOver: (e: DragEvent) => count(0, e),
      onDrop: (e: DragEvent) => {
        if (!mine || !hasFiles(e.dataTransfer)) return;
        e.preventDefault();
        depth.current = 0;
        setOver(false);
        take(e.dataTransfer);
      },
      onPaste: (e: ClipboardEvent) => {
        // Programs of tables and texts offer a picture of what was copied, too: then the text is meant.
        if (!mine || !hasFiles(e.clipboardData) || e.clipboardData!.types.includes('text/plain')) return;
        e.preventDefault();
        take(e.clipboardData);
      },
    },
  };
}

/** useNoStrayDrops keeps the browser from opening a file that misses the conversation. */
export function useNoStrayDrops(): void {
  useEffect(() => {
    const stop = (e: DragEvent) => {
      if (!hasFiles(e.dataTransfer) || e.defaultPrevented) return;
      e.preventDefault();
      e.dataTransfer!.dropEffect = 'none';
    };
    addEventListener('dragover', stop);
    addEventListener('drop', stop);
    return () => {
      removeEventListener('dragover', stop);
      removeEventListener('drop', stop);
    };
  }, []);
}
