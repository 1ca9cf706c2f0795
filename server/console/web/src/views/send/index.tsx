import { words } from '../../words';

export function Send() {
  return <div class="view"><h1>{words.nav.send}</h1></div>;
}
