import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The bundle of one of capbench's own processes: `flux-server`, `fleet-worker`, `watchdog`. All bundles and their
 * shared chunks are in one folder. When run from the sources (tests), the built bundles are used.
 */
export function bundleFile(name: string): string {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/' : './';
  const path = fileURLToPath(new URL(`${folder}${name}.js`, import.meta.url));
  if (!existsSync(path)) throw new Error(`capbench is not built: ${path} is missing; run npm run build`);
  return path;
}
