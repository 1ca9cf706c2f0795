// The choice of the line, above the chats.
import { path } from '../../route';
import { words } from '../../words';
import { lines } from './line';
import type { LineState } from './linestate';

export function LinePicker(props: { state: LineState }) {
  const { line } = props.state;
  return (
    <div class="field">
      <label for="line" class="visually-hidden">{words.send.line}</label>
      <select
        id="line" class="input" value={`${line.licenseId}/${line.messenger}`}
        onChange={(e) => (location.hash = path('send', ...e.currentTarget.value.split('/')))}
      >
        {lines().map((l) => <option key={`${l.licenseId}/${l.messenger}`} value={`${l.licenseId}/${l.messenger}`}>{l.label}</option>)}
      </select>
    </div>
  );
}
