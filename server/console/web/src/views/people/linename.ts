// The name of one line.
import { plain } from '../../naming';
import { licenses } from '../../session';
import { words } from '../../words';

/** lineName says in words which line a key is for. */
export function lineName(licenseId: number, messengerType: string): string {
  const license = licenses.value.find((l) => l.licenseId === licenseId);
  const messenger = license?.messenger.find((m) => m.type === messengerType);
  return `${plain(license?.licenseName ?? '') || words.people.license(licenseId)}, ${plain(messenger?.name ?? '') || messengerType}`;
}
