// Node 20 runs no TypeScript: the fuzzer is made one file beside the packages that it imports, and loaded.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const file = join(root, 'node_modules', `.capbench-fuzz-${process.pid}.mjs`);
process.once('exit', () => rmSync(file, { force: true }));
process.env.npm_config_local_prefix ??= root;
await build({
  entryPoints: [join(import.meta.dirname, 'fuzz.ts')],
  outfile: file,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  loader: { '.woff2': 'base64' },
  logLevel: 'warning',
  plugins: [
    {
      name: 'outside',
      setup({ onResolve }) {
        onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
          kind === 'entry-point' || path.endsWith('.woff2') ? null : { path, external: true },
        );
      },
    },
  ],
});
await import(`file://${file}`);
