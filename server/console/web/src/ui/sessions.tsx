// The sessions of the signed-in user, who may end them.
import { useEffect, useState } from 'preact/hooks';
import { call, type Rest } from '../api';
import { again, errorText } from '../socket';
import { words } from '../words';

const say = words.sessions;

export function Sessions() {
  const [list, setList] = useState<Rest['Session'][] | null>(null); // null: not read yet
  const [error, setError] = useState('');
  const read = async () => {
    const page = await call<{ items: Rest['Session'][] }>('GET', '/v1/sessions?limit=100');
    setList(page.items);
  };
  useEffect(() => {
    read().catch(() => setError(say.failed));
  }, []);

  async function end(path: string) {
    setError('');
    try {
      await call('DELETE', path);
      again(); // the server has closed all sockets of the user
      await read();
    } catch (e) {
      setError(errorText(e));
    }
  }

  const others = list?.filter((s) => !s.current).length ?? 0;
  return (
    <section class="factor" aria-label={say.title}>
      <h2>{say.title}</h2>
      {list === null && error === '' && <p class="muted" role="status">{words.loading}</p>}
      <ul class="plain sessions">
        {list?.map((s) => (
          <li key={s.id}>
            <span>
              {say.agent(s.userAgent)} {s.current && <span class="chip">{say.current}</span>}
              <br /><span class="muted small">{say.line(s.address, new Date(s.lastUsedAt * 1000).toLocaleString())}</span>
            </span>
            {!s.current && <button class="button small" aria-label={say.endOne(s.userAgent)} onClick={() => void end(`/v1/sessions/${s.id}`)}>{say.end}</button>}
          </li>
        ))}
      </ul>
      {others > 1 && <button class="button small" onClick={() => void end('/v1/sessions')}>{say.others(others)}</button>}
      <p class="error-text" role="alert">{error}</p>
    </section>
  );
}
