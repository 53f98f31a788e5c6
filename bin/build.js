// Bundles every process of capbench into dist/: the CLI, the fleet's workers, the world server, the watchdog.
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const root = new URL('..', import.meta.url).pathname;

rmSync(`${root}/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'src/cli.ts',
    'fleet-worker': 'src/load/fleet/worker.ts',
    'world-flux': 'src/world/flux.ts',
    watchdog: 'src/stack/watchdog-process.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: Object.keys(dependencies),
  sourcemap: 'linked',
  logLevel: 'warning',
});
