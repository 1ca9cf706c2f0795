import { useEffect, useState } from 'preact/hooks';
import { serverTime } from '../../api';

/** Left counts the seconds that something is still valid, by the server's clock. */
export function Left(props: { until: number; text: (seconds: number) => string }) {
  const left = () => Math.max(0, Math.ceil(props.until - serverTime()));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const t = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(t);
  }, [props.until]);
  return <p class="muted small left" role="timer">{props.text(seconds)}</p>;
}
