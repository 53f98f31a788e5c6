import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Test code as one file that Node runs, beside the packages that it imports. What draws is left out unless
 * asked for: five charts cost ten times what all else of a report does, and a report without them is one that
 * capbench writes where they cannot be drawn.
 */
export async function bundleTest(root: string, entry: string, charts: boolean): Promise<string> {
  const folder = join(root, 'node_modules', `.capbench-fuzz-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${entry}${charts ? '-charts' : ''}.mjs`);
  await build({
    entryPoints: [join(root, 'test', 'fuzz', `${entry}.ts`)],
    outfile,
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
          onResolve({ filter: /\/chart\.ts$/ }, ({ kind }) =>
            charts || kind !== 'dynamic-import' ? null : { path: './no-charts.mjs', external: true },
          );
        },
      },
    ],
  });
  return outfile;
}
