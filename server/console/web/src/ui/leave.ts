import { signOut } from '../session';
import { stop } from '../socket';

/** leave signs the user out. */
export async function leave(): Promise<void> {
  stop();
  await signOut();
}
