// A field of a form about an account.
/** Field is a required field of a form. New passwords have the server's least length. */
export function Field(props: {
  name: string; label: string; type: 'text' | 'password'; autocomplete: 'name' | 'new-password' | 'current-password'; value?: string; hint?: string;
}) {
  const { name, label, type, autocomplete, value, hint } = props;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        class="input" id={name} name={name} type={type as 'password'} autocomplete={autocomplete} defaultValue={value ?? ''} required maxLength={255}
        {...(autocomplete === 'new-password' ? { minLength: 8 } : {})} {...(hint ? { 'aria-describedby': `${name}-hint` } : {})}
      />
      {hint && <p class="muted small" id={`${name}-hint`}>{hint}</p>}
    </div>
  );
}
