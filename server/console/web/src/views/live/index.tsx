import { words } from '../../words';

export function Live() {
  return <div class="view"><h1>{words.nav.live}</h1></div>;
}
