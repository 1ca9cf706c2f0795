// Quotes values in code. They come from this server's settings and may hold any
// character.

/** js is a JavaScript string, safe inside a <script> of a page. */
export function js(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replaceAll('<', '\\x3c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}

/** sh is a shell word. */
export function sh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** go is a Go string. Go reads JSON's escapes alike. */
export function go(text: string): string {
  return JSON.stringify(text);
}

/** list is a JavaScript list, over as many lines as it needs. */
export function list(items: readonly string[], indent = '  '): string {
  const one = `[${items.map(js).join(', ')}]`;
  if (one.length <= 70) return one;
  const lines: string[] = [];
  let line = indent;
  for (const item of items.map(js)) {
    if (line !== indent && line.length + item.length > 88) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${item}, `;
  }
  return `[\n${[...lines, line.trimEnd()].join('\n')}\n]`;
}
