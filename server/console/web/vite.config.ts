import { defineConfig, loadEnv } from 'vite';
import { libraryFiles } from './libraries.ts';

// The program embeds ../dist. Two pages: the console, and the one that runs the
// snippets of the Connect view. In development the program's routes come from a
// server that runs beside it (make run), or that CHATCAST_CONSOLE_SERVER names.
const server = loadEnv('', '.', 'CHATCAST_CONSOLE_').CHATCAST_CONSOLE_SERVER ?? 'http://127.0.0.1:6001';

export default defineConfig({
  base: './', // the pages may be under a base path
  plugins: [libraryFiles()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { alias: { '@chatcast/events': new URL('../clients/js/src/index.ts', import.meta.url).pathname } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    license: { fileName: 'licenses.txt' },
    rolldownOptions: { input: { index: 'index.html', try: 'try.html' } },
  },
  server: {
    proxy: {
      '/v1': server, '/broadcasting': server, '/console.json': server, '/schemas': server, '/docs': server, '/lib': server,
      '/openapi.yaml': server, '/openapi.json': server, '/openapi-3.0.json': server, '/asyncapi.yaml': server, '/app': { target: server, ws: true },
    },
  },
});
