import { words } from '../../words';

export function Server() {
  return <div class="view"><h1>{words.nav.server}</h1></div>;
}
