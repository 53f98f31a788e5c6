import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');

/** opener.ts as a program of its own, beside the processes that it starts, where any account may run it. */
export async function bundleOpener() {
  // Below node_modules/, so that what is not bundled is found.
  const folder = mkdtempSync(join(root, 'node_modules/.opener-'));
  chmodSync(folder, 0o755);
  await build({
    absWorkingDir: root,
    entryPoints: {
      opener: 'test/supervision/opener.ts',
      watchdog: 'src/supervision/watchdog-process.ts',
      'world-flux': 'src/systems/flux/server/main.ts',
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return {
    program: join(folder, 'opener.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
