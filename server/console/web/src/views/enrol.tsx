// What people see whose company requires a second factor that they have not set up.
import { leave } from '../ui/leave';
import { SecondFactor } from '../ui/factor';
import { ChangePassword } from '../ui/password';
import { words } from '../words';
import icon from '../icon.svg';

export function MustEnrol() {
  return (
    <main class="signin">
      <div class="card">
        <p class="brand"><img src={icon} alt="" /><span>{words.brand}</span></p>
        <h1>{words.factor.first}</h1>
        <SecondFactor />
        <ChangePassword />
        <button class="button" onClick={() => void leave()}>{words.account.signOut}</button>
      </div>
    </main>
  );
}
