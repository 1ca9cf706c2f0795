// Whether the line's account may write to new people now, what happens to such messages,
// why, and what helps.
import { words } from '../../words';
import { isAccount, restrictedUntil, riskOf, type Status } from './stand';
import { dayAndTime } from './time';

const say = words.send.stand;

/** Risk is about a line whose account has to be careful. With whole, it also tells that all is well, and its reasons are in sight. */
export function Risk(props: { status: Status; whole?: boolean }) {
  const { status, whole = false } = props;
  const until = restrictedUntil(status);
  const risk = riskOf(status);
  if (until === undefined && risk === undefined) {
    if (!whole || !isAccount(status) || status.state === 'logged_out') return null;
    return <Head rating="ok" title={say.rating.ok} why={say.rating.okWhy} />;
  }
  const rating = until !== undefined ? 'restricted' : risk!.rating;
  const reasons = risk?.reasons ?? [];
  return (
    <div class="risk" data-rating={risk?.rating} data-restricted={until}>
      <Head rating={rating} title={until === undefined ? say.rating[risk!.rating] : say.rating.restricted(dayAndTime(until))} why={say.rating[`${rating}Why`]} />
      {reasons.length > 0 && (
        <details class="small" open={whole}>
          <summary>{say.rating.why(reasons.length)}</summary>
          <ul>
            {reasons.map((r) => (
              <li key={r.code} data-reason={r.code}>
                {(until === undefined || r.code !== 'locked') && <>{r.message} </>}
                {say.helps[r.code] !== undefined && <span class="help">{say.helps[r.code]}</span>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Head(props: { rating: 'ok' | 'careful' | 'stop' | 'restricted'; title: string; why: string }) {
  const { rating, title, why } = props;
  const tone = rating === 'ok' ? 'good' : rating === 'careful' ? 'warn' : 'bad';
  return (
    <div class={`risk-head note ${tone === 'good' ? '' : tone}`}>
      <span class={`dot ${tone}`} />
      <p><strong>{title}</strong><br /><span class="small">{why}</span></p>
    </div>
  );
}
