// The libraries that the snippets of the Connect view load, as their packages ship
// them, under names that stay: /lib/pusher-js-8.min.js. What npm installed for the
// console is what the snippets run on.
import type { Plugin } from 'vite';

const modules = new URL('node_modules/', import.meta.url).pathname;

// By the name in /lib: the file, and the licence, which travels in licenses.txt.
const libraries: Record<string, { of: string; file: string; license: string }> = {
  'pusher-js-7.min.js': { of: 'pusher-js-7', file: 'dist/web/pusher.min.js', license: 'LICENCE' },
  'pusher-js-8.min.js': { of: 'pusher-js', file: 'dist/web/pusher.min.js', license: 'LICENCE' },
  'laravel-echo-2.min.js': { of: 'laravel-echo', file: 'dist/echo.iife.js', license: 'LICENSE.md' },
};

export function libraryFiles(): Plugin {
  return {
    name: 'chatcast:libraries',
    async generateBundle() {
      for (const [name, { of, file }] of Object.entries(libraries)) {
        const source = await this.fs.readFile(`${modules}${of}/${file}`, { encoding: 'utf8' });
        // Their source maps are not served.
        this.emitFile({ type: 'asset', fileName: `lib/${name}`, source: source.replace(/\n\/\/# sourceMappingURL=\S*\s*$/, '\n') });
      }
    },
    async writeBundle(options) {
      let text = '\n# Files in /lib\n\nThey are served as their packages ship them.\n';
      for (const [name, { of, license }] of Object.entries(libraries)) {
        const about = JSON.parse(await this.fs.readFile(`${modules}${of}/package.json`, { encoding: 'utf8' })) as { name: string; version: string; license: string };
        const terms = await this.fs.readFile(`${modules}${of}/${license}`, { encoding: 'utf8' });
        text += `\n## lib/${name}: ${about.name} - ${about.version} (${about.license})\n\n${terms.trim()}\n`;
      }
      await this.fs.appendFile(`${options.dir}/licenses.txt`, text);
    },
    // In development the server that runs beside serves /lib; the page at /try is this one's.
    configureServer(server) {
      server.middlewares.use((incoming, _, next) => {
        const request = incoming as unknown as { url?: string };
        if (request.url === '/try') request.url = '/try.html';
        next();
      });
    },
  };
}
