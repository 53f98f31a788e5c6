import { bundled } from '../bundled.ts';

/** opener.ts as a program, bundled beside the processes that it starts, where any account may run it. */
export async function bundleOpener() {
  const { file, remove } = await bundled({
    opener: 'test/supervision/opener.ts',
    watchdog: 'src/supervision/watchdog-process.ts',
    'flux-server': 'src/systems/flux/server/main.ts',
  });
  return { program: file('opener'), remove };
}
