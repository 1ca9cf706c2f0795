// Bundles a module of the console and imports it: what is tested is what is built.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

export async function load(path) {
  const outDir = await mkdtemp(join(tmpdir(), 'console-'));
  try {
    await build({
      root, logLevel: 'error', configFile: false,
      resolve: { alias: { '@chatcast/events': join(root, '../clients/js/src/index.ts') } },
      build: { ssr: path, outDir, emptyOutDir: false, copyPublicDir: false, license: false, rolldownOptions: { input: join(root, path), output: { entryFileNames: 'module.mjs' } } },
      ssr: { noExternal: true },
    });
    return await import(pathToFileURL(join(outDir, 'module.mjs')).href);
  } finally {
    await rm(outDir, { recursive: true });
  }
}
