// The parts of a snippet in any language.
import type { Endpoint } from '../../config';
import type { Library } from '../../handover';

/** The values that fill a snippet. */
export interface Facts {
  key: string;
  at: Endpoint;
  channel: string;
  events: readonly string[];
  email: string;
  line: { licenseId: number; type: string } | null; // the line to write on; null: there is none
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
  run: { libraries: Library[]; script: string } | null; // the code that "Try it" runs
}
