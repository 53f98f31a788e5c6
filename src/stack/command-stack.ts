import type { Target } from '../address/target-address.ts';
import type { ComponentSpec } from './component-spec.ts';
import { type LocalStackOptions, openLocalStack } from './local.ts';
import type { Stack } from './stack.ts';
import { type AttachOptions, attachedDatabase, findAll } from './target-stack.ts';

/**
 * The stack of a server that a command of the user's starts. Its process is capbench's, and faults may hit it; what it
 * is and what is beneath it is not known, so that it is loaded and probed like a target. Rejects as openLocalStack does.
 */
export async function openCommandStack(
  specs: readonly ComponentSpec[],
  targets: readonly Target[],
  options: LocalStackOptions & Omit<AttachOptions, 'signal'>,
): Promise<Stack> {
  const { access, database = null, ...local } = options;
  const stack = await openLocalStack(specs, local);
  try {
    const { worlds } = await findAll(targets, {
      signal: options.signal,
      ...(access === undefined ? {} : { access }),
    });
    const {
      worlds: [own],
      limited,
      otherCpus,
    } = stack.endpoints;
    return {
      ...stack,
      kind: 'target',
      endpoints: {
        worlds: worlds.map((world) => ({
          ...world,
          get pid() {
            return own?.pid ?? null;
          },
        })),
        unknown: true,
        ...(limited === undefined ? {} : { limited }),
        ...(otherCpus === undefined ? {} : { otherCpus }),
        database: database === null ? null : attachedDatabase(database),
      },
    };
  } catch (error) {
    await stack.close();
    throw error;
  }
}
