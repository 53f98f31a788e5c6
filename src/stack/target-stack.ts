import type { Access } from '../address/access.ts';
import { interrupted } from '../errors.ts';
import type { Attached, DatabaseEndpoint, Endpoints, Stack } from './stack.ts';
import { keepVigil, type Look } from './vigil.ts';

export interface AttachOptions {
  readonly signal: AbortSignal;
  /** The authorities and the headers, the same for all of them. */
  readonly access?: Omit<Access, 'address'>;
  /** Their PostgreSQL, where its address was given. */
  readonly database?: Attached | null;
}

/**
 * The stack that somebody else started, once it is found: it is watched over, and left as it is. Rejects as the finding
 * does, with exit code 105 when aborted.
 */
export async function targetStack(
  finding: Promise<Omit<Endpoints, 'database'>>,
  look: Look,
  { signal, database = null }: AttachOptions,
): Promise<Stack> {
  try {
    const found = await finding;
    const vigil = keepVigil(found.worlds, look);
    return {
      kind: 'target',
      endpoints: { ...found, database: database === null ? null : attachedDatabase(database) },
      settings: [],
      disturb: null,
      failure: vigil.failure,
      logs: new Map(),
      close: async () => vigil.stop(),
    };
  } catch (error) {
    if (signal.aborted) throw interrupted('stopped while the targets were being asked');
    throw error;
  }
}

const attachedDatabase = (attached: Attached): DatabaseEndpoint => ({
  ...{ host: '', port: 0, user: '', password: '', database: '', pid: null },
  attached,
});
