// What a snippet is made of, whatever its language.
import type { Endpoint } from '../../config';
import type { Library } from '../../handover';

/** What the snippets are filled with. */
export interface Facts {
  key: string;
  at: Endpoint;
  channel: string;
  events: readonly string[];
  email: string;
  line: { licenseId: number; type: string } | null; // to write on; null: there is none
}

export type Language = 'html' | 'sh' | 'go';

export interface Block {
  name: string;
  language: Language;
  code: string;
  note?: string;
}

export interface Snippet {
  blocks: Block[];
  run: { libraries: Library[]; script: string } | null; // what "Try it" runs
}
