import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 2000;

/** The commit that is checked out in a folder; null where there is no repository, or no git. */
export const commitOf = (folder: string): Promise<string | null> =>
  promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: folder, timeout: TIMEOUT_MS }).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
