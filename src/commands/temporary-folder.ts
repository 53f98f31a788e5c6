import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';

/**
 * Refuses a temporary directory in which no run can put its folder: processes that work elsewhere, and the watchdog,
 * would look for it in another place, or nobody could write there. Throws bad input.
 */
export async function checkTemporaryFolder({ machine: { tmp }, env }: Host): Promise<void> {
  const named = ['TMPDIR', 'TMP', 'TEMP'].find((name) => env[name]) ?? 'TMPDIR';
  const hint = `set ${named} to the absolute path of a directory that you may write to, such as /tmp`;
  if (!isAbsolute(tmp)) throw badInput(`${named}: "${tmp}" is not an absolute path`, hint);
  try {
    if (!(await stat(tmp)).isDirectory()) throw badInput(`${named}: ${tmp} is not a directory`, hint);
    await access(tmp, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error) throw error;
    throw badInput(`${named}: nothing can be put into ${tmp}: ${messageOf(error)}`, hint);
  }
}
