// The form with the settings of a line.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, call } from '../../api';
import { errorText } from '../../socket';
import { words } from '../../words';
import { linePath, type Line } from './line';
import { changes, chosen, proxyOf, proxyURL, settings, type LineSettings, type Proxy, type Setting } from './setting';

const say = words.lineSettings;

export function Settings(props: { line: Line }) {
  const { line } = props;
  const [stored, setStored] = useState<LineSettings | null>(null);
  const [error, setError] = useState('');
  useEffect(() => {
    const end = new AbortController();
    call<LineSettings>('GET', `${linePath(line)}/settings`, undefined, { signal: end.signal }).then(setStored, (e: unknown) => {
      if (!end.signal.aborted) setError(errorText(e));
    });
    return () => end.abort();
  }, []);
  return (
    <section class="line-part" aria-label={say.title}>
      <h3>{say.title}</h3>
      {stored !== null ? <Form line={line} stored={stored} onStored={setStored} /> : error !== '' ? <p class="error-text" role="alert">{error}</p> : <p class="muted">{say.loading}</p>}
    </section>
  );
}

function Form(props: { line: Line; stored: LineSettings; onStored: (s: LineSettings) => void }) {
  const { line, stored, onStored } = props;
  const [now, setNow] = useState(stored);
  const [proxy, setProxy] = useState(proxyOf(stored.proxy));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [errors]); // it may be out of sight
  const [outcome, setOutcome] = useState<'' | 'busy' | 'saved'>('');
  const change = (key: keyof LineSettings, value: unknown) => {
    setNow({ ...now, [key]: value });
    setOutcome('');
  };
  async function save() {
    const through = proxyURL(proxy, stored.proxy);
    if ('error' in through) return setErrors({ proxy: say.proxy[through.error] });
    setErrors({});
    setOutcome('busy');
    try {
      const next = await call<LineSettings>('PATCH', `${linePath(line)}/settings`, changes(stored, { ...now, proxy: through.url }));
      onStored(next);
      setNow(next);
      setProxy(proxyOf(next.proxy));
      setOutcome('saved');
    } catch (e) {
      const known = e instanceof ApiError ? Object.fromEntries(Object.entries(e.fields).filter(([k]) => settings.some((s) => s.key === k))) : {};
      setErrors(Object.keys(known).length > 0 ? known : { '': errorText(e) });
      setOutcome('');
    }
  }
  return (
    <form class="line-settings" ref={form} onSubmit={(e) => { e.preventDefault(); void save(); }}>
      {settings.filter((s) => s.under === undefined || now[s.under]).map((s) => (
        <SettingField key={s.key} setting={s} value={now[s.key]} error={errors[s.key] ?? ''} onChange={(v) => change(s.key, v)} proxy={proxy} onProxy={(p) => { setProxy(p); setOutcome(''); }} />
      ))}
      <p class="error-text" role="alert">{errors['']}</p>
      <div class="row">
        <button class="button primary" disabled={outcome === 'busy'}>{outcome === 'busy' ? say.saving : say.save}</button>
        <span class="muted" role="status">{outcome === 'saved' && say.saved}</span>
      </div>
    </form>
  );
}

function SettingField(props: { setting: Setting; value: LineSettings[keyof LineSettings]; error: string; onChange: (value: unknown) => void; proxy: Proxy; onProxy: (p: Proxy) => void }) {
  const { setting, value, error, onChange } = props;
  const { key, kind } = setting;
  const { label, hint, choices = say.choices } = say.of[key]!;
  const id = `line-${key}`;
  if (kind === 'switch') {
    return (
      <div class="switch-field">
        <label class="switch"><input id={id} type="checkbox" role="switch" checked={value === true} aria-describedby={`${id}-hint`} onChange={(e) => onChange(e.currentTarget.checked)} /> {label}</label>
        <p class="muted small" id={`${id}-hint`}>{hint}</p>
        <p class="error-text" role="alert">{error}</p>
      </div>
    );
  }
  if (kind === 'choice' || kind === 'seconds') {
    return (
      <div class="field">
        <label for={id}>{label}</label>
        {kind === 'choice' ? (
          <select class="input" id={id} value={String(value ?? '')} aria-describedby={`${id}-hint`} onChange={(e) => onChange(chosen(e.currentTarget.value))}>
            {Object.entries(choices).map(([v, text]) => <option key={v} value={v}>{text}</option>)}
          </select>
        ) : (
          <input
            class="input" id={id} type="number" min="0" max="60" step="1" placeholder={say.choices['']} value={String(value ?? '')} aria-invalid={error !== ''} aria-describedby={`${id}-hint`}
            onInput={(e) => onChange(e.currentTarget.value === '' ? null : e.currentTarget.valueAsNumber)}
          />
        )}
        <p class="muted small" id={`${id}-hint`}>{hint}</p>
        <p class="error-text" role="alert">{error}</p>
      </div>
    );
  }
  if (kind === 'proxy') return <ProxyFields error={error} value={props.proxy} onChange={props.onProxy} />;
  return (
    <div class="field under">
      <label for={id}>{label}</label>
      <textarea class="input" id={id} rows={2} value={String(value ?? '')} aria-invalid={error !== ''} aria-describedby={`${id}-hint`} onInput={(e) => onChange(e.currentTarget.value)} />
      <p class="muted small" id={`${id}-hint`}>{hint}</p>
      <p class="error-text" role="alert">{error}</p>
    </div>
  );
}

/** ProxyFields are the parts of a proxy. Its password comes from the server to nobody. */
function ProxyFields(props: { error: string; value: Proxy; onChange: (p: Proxy) => void }) {
  const { error, value, onChange } = props;
  const { label, hint } = say.of.proxy!;
  const wrong = error === say.proxy.again ? 'password' : 'address';
  const field = (name: 'address' | 'user' | 'password', type: 'text' | 'password', placeholder: string) => (
    <div class={`field ${name}`}>
      <label for={`proxy-${name}`}>{say.proxy[name]}</label>
      <input
        class="input" id={`proxy-${name}`} type={type as 'password'} value={value[name]} placeholder={placeholder} autocomplete={type === 'password' ? 'new-password' : 'off'} spellcheck={false}
        maxLength={name === 'address' ? 512 : 255} aria-invalid={error !== '' && name === wrong} aria-describedby="proxy-hint proxy-error" onInput={(e) => onChange({ ...value, [name]: e.currentTarget.value })}
      />
    </div>
  );
  return (
    <fieldset class="proxy">
      <legend class="label">{label}</legend>
      <p class="muted small" id="proxy-hint">{hint}</p>
      {field('address', 'text', say.proxy.example)}
      <p class="error-text" id="proxy-error" role="alert">{error}</p>
      {value.address.trim() !== '' && field('user', 'text', '')}
      {value.address.trim() !== '' && field('password', 'password', value.kept ? say.proxy.kept : '')}
    </fieldset>
  );
}
