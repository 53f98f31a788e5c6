import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** Programs from TypeScript sources (name -> file below the root), in a folder where any account may run them. */
export async function bundled(entryPoints: Readonly<Record<string, string>>) {
  // Below node_modules/, so that what is not bundled is found.
  const folder = mkdtempSync(join(root, 'node_modules/.bundled-'));
  chmodSync(folder, 0o755);
  await build({
    ...{ absWorkingDir: root, entryPoints, outdir: folder, bundle: true, splitting: true },
    ...{ platform: 'node', format: 'esm', target: 'node20', packages: 'external', logLevel: 'error' },
  });
  return {
    folder,
    file: (name: string): string => join(folder, `${name}.js`),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
