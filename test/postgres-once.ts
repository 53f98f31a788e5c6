import { chmod, chown, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { preparePostgres } from '../src/stack/postgres-build.ts';
import { makeCluster } from '../src/stack/postgres-cluster.ts';
import { openRunFolder } from '../src/supervision/run-folder.ts';
import { unprivilegedUser } from '../src/supervision/unprivileged-user.ts';
import { openWatchdog } from '../src/supervision/watchdog.ts';

/**
 * `initdb` runs once for the whole suite: runs whose subject is not PostgreSQL's start take their PostgreSQL from a
 * folder where `initdb` is a script that copies that cluster (half a second of CPU less each). Its connections need no
 * password, because each run makes up its own; the socket's folder keeps other accounts out. The tests of `stack`
 * and `supervision`, and those that ask for it, use the real one.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.CAPBENCH_FAULTS === 'full') return undefined;
  const { signal } = new AbortController();
  const watchdog = await openWatchdog(process.env);
  const user = unprivilegedUser();
  const folder = await openRunFolder(watchdog, [tmpdir(), '/tmp'], user);
  const ownBin = process.env.CAPBENCH_POSTGRES_BIN || null;
  const build = await preparePostgres(16, ownBin, user, folder, watchdog, signal);
  const cluster = await folder.folder('cluster', user);
  await makeCluster({ build, folder, watchdog, user, signal }, cluster, 'capbench', 'of-the-suite');
  const access = join(cluster, 'pg_hba.conf');
  await writeFile(access, (await readFile(access, 'utf8')).replaceAll('scram-sha-256', 'trust'));

  const bin = await folder.folder('bin', user);
  await symlink(join(build.bin, 'postgres'), join(bin, 'postgres'));
  await symlink(join(dirname(build.bin), 'lib'), folder.file('lib'));
  const initdb = join(bin, 'initdb');
  // Called as initdb --pgdata FOLDER ..
  await writeFile(initdb, `#!/bin/sh\nexec cp -a '${cluster}/.' "$2"\n`);
  await chmod(initdb, 0o755);
  if (user !== null) await chown(initdb, user.uid, user.gid);
  process.env.CAPBENCH_TEST_POSTGRES_BIN = bin;
  return async () => {
    await folder.remove();
    await watchdog.close();
  };
}
