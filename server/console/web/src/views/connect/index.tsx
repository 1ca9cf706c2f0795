import { words } from '../../words';

export function Connect() {
  return <div class="view"><h1>{words.nav.connect}</h1></div>;
}
