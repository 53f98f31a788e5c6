import { relative } from 'node:path';
import type { Host } from '../host.ts';

/** A path as it is shown: relative to the working directory, if it is below it. */
export function nearby({ cwd }: Pick<Host, 'cwd'>, path: string): string {
  const near = relative(cwd, path);
  return near.startsWith('..') ? path : near || '.';
}
