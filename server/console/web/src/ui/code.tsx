// Code with a little colour: comments, strings, keywords. A simple scanner without
// a grammar finds them. No text is ever left out.
import type { ComponentChild } from 'preact';

export type Language = 'html' | 'js' | 'sh' | 'go';

const languages: Record<Language, RegExp> = {
  js: /((?<=^|\s)\/\/[^\n]*)|('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|\b(const|let|new|for|of|function|return|true|false|null)\b/gm,
  // The tags of a page, and the tokens of its script.
  html: /(<!--[\s\S]*?-->|(?<=^|\s)\/\/[^\n]*)|('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|(<[!/]?[a-z]+|(?<=["a-z])>(?=\n|<|[a-z])|\b(?:const|let|new|for|of|function|return|true|false|null)\b)/gm,
  sh: /((?<=^|\s)#[^\n]*)|('[^']*'|"(?:\\.|[^"\\])*")|\b(curl|sed|while|do|done|printf)\b/gm,
  go: /(\/\/[^\n]*)|("(?:\\.|[^"\\\n])*"|`[^`]*`)|\b(package|import|const|type|struct|func|defer|return|if|for|switch|case|continue|range|nil|map|any|string|int|int64|error)\b/gm,
};

export function Code(props: { code: string; language: Language; label: string }) {
  return (
    <pre class="code" tabIndex={0} role="region" aria-label={props.label}><code>{colour(props.code, props.language)}</code></pre>
  );
}

function colour(code: string, language: Language): ComponentChild[] {
  const parts: ComponentChild[] = [];
  let done = 0;
  for (const m of code.matchAll(languages[language])) {
    if (m.index > done) parts.push(code.slice(done, m.index));
    const kind = m[1] !== undefined ? 'comment' : m[2] !== undefined ? 'text' : 'word';
    parts.push(<span class={`mark ${kind}`}>{m[0]}</span>);
    done = m.index + m[0].length;
  }
  parts.push(code.slice(done));
  return parts;
}
