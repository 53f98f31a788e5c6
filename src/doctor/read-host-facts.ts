import { readFile, statfs } from 'node:fs/promises';
import { CapbenchError, messageOf } from '../errors.ts';
import { findK6 } from '../load/k6/binary.ts';
import { type HostLimits, readHostLimits } from '../load/limits.ts';
import { cpuQuota } from '../probe/cgroup.ts';
import { pressure } from '../probe/host.ts';
import { lookForEdge } from '../stack/edge-program.ts';
import { temporaryFolders } from '../stack/local.ts';
import { usableMemory } from '../stack/memory-need.ts';
import { preparePostgres } from '../stack/postgres-build.ts';
import { checkSpace } from '../stack/postgres-cluster.ts';
import { lookForRedis } from '../stack/redis-program.ts';
import { cpuTimes, memoryAvailable, waitedSeconds } from '../supervision/proc.ts';
import { findProgram, outputOf } from '../supervision/program.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import { unprivilegedUser } from '../supervision/unprivileged-user.ts';
import { openWatchdog } from '../supervision/watchdog.ts';
import { type HostFacts, isObstacle, type Obstacle, type Program } from './host-facts.ts';

/** The major version that the scenarios of capbench start. */
const POSTGRES_MAJOR = 16;
/** How long a program that is not required may take to print its version. */
const ANSWER_LIMIT_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The process that asks. */
export interface Asker {
  readonly env: Environment;
  readonly machine: Pick<HostFacts, 'platform' | 'arch' | 'node' | 'cpus' | 'memoryBytes'> & {
    readonly uid: number | null;
    readonly pid: number;
    readonly tmp: string;
  };
  /** The scenarios that come with capbench, and what their stacks need. */
  readonly scenarios: () => Promise<HostFacts['scenarios']>;
  /** Throws a CapbenchError where the temporary directory is not usable at all. */
  checkTemporaryFolder(): Promise<void>;
}

/** Looks at this host. It starts no server and changes nothing that stays. */
export async function readHostFacts(asker: Asker): Promise<HostFacts> {
  const { env, machine } = asker;
  const { uid, pid, tmp: _, ...rest } = machine;
  const [
    started,
    k6,
    redis,
    nginx,
    haproxy,
    docker,
    aptGet,
    brew,
    sharedMemory,
    threadsPerCore,
    limits,
    clockSource,
  ] = await Promise.all([
    lookForPostgres(asker),
    lookForK6(env),
    attempt(() => lookForRedis(env, ANSWER_LIMIT_MS)),
    attempt(() => lookForEdge('nginx', env)),
    attempt(() => lookForEdge('haproxy', env)),
    lookForDocker(env),
    findProgram('apt-get', env),
    findProgram('brew', env),
    readSharedMemory(),
    readThreadsPerCore(machine.platform, env),
    readLimits(env),
    readText('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
  ]);
  return {
    ...rest,
    // Last, since it opens many files at once, of which the host may allow too few.
    scenarios: await asker.scenarios(),
    isRoot: uid === 0,
    packageManager: aptGet !== null ? 'apt-get' : brew !== null ? 'brew' : null,
    threadsPerCore,
    cpuQuota: cpuQuota(),
    usableMemoryBytes: usableMemory(),
    availableMemoryBytes: memoryAvailable(),
    sharedMemory,
    clockSource,
    reports: {
      steal: cpuTimes() !== null,
      pressure: pressure().cpuSomeSeconds !== null,
      waits: waitedSeconds(pid) !== null,
    },
    limits,
    ...started,
    programs: { k6, redis, nginx, haproxy, docker },
  };
}

/** What is awaited, or why a user cannot have it; a bug stays one. */
async function attempt<T>(doing: () => T | Promise<T>): Promise<T | Obstacle> {
  try {
    return await doing();
  } catch (thrown) {
    if (!(thrown instanceof CapbenchError)) throw thrown;
    return { problem: thrown.message, hint: thrown.hint ?? null };
  }
}

/** The same steps as those of a run, up to the first answer of PostgreSQL's own program. */
async function lookForPostgres({
  env,
  machine: { tmp },
  checkTemporaryFolder,
}: Asker): Promise<Pick<HostFacts, 'temporary' | 'postgres'>> {
  const unusable = await attempt(checkTemporaryFolder);
  if (unusable !== undefined) return { temporary: unusable, postgres: null };
  const account = await attempt(unprivilegedUser);
  if (isObstacle(account)) return { temporary: { path: tmp }, postgres: account };
  const watchdog = await openWatchdog(env);
  try {
    const folder = await attempt(() => openRunFolder(watchdog, temporaryFolders(), account));
    if (isObstacle(folder)) return { temporary: folder, postgres: null };
    try {
      const ownBin = env.CAPBENCH_POSTGRES_BIN || null;
      const never = new AbortController().signal;
      const [full, build] = await Promise.all([
        attempt(() => checkSpace(folder.path)),
        attempt(() => preparePostgres(POSTGRES_MAJOR, ownBin, account, folder, watchdog, never)),
      ]);
      return {
        temporary: full ?? { path: tmp },
        postgres: isObstacle(build)
          ? build
          : {
              ...{ path: build.bin, version: build.version },
              ...{ embedded: ownBin === null, account: account?.name ?? null },
            },
      };
    } finally {
      await folder.remove();
    }
  } finally {
    await watchdog.close();
  }
}

async function lookForK6(env: Environment): Promise<Program> {
  if (!env.CAPBENCH_K6 && (await findProgram('k6', env)) === null) return null;
  return attempt(() => findK6(env, ANSWER_LIMIT_MS));
}

/** The version of its daemon, without which the client is of no use. */
async function lookForDocker(env: Environment): Promise<Program> {
  const path = await findProgram('docker', env);
  if (path === null) return null;
  const args = ['version', '--format', '{{.Server.Version}}'];
  try {
    const { stdout } = await outputOf(path, args, env, ANSWER_LIMIT_MS);
    return { path, version: /\d+\.\d+(?:\.\d+)*/.exec(stdout)?.[0] ?? 'of an unknown version' };
  } catch (thrown) {
    return {
      problem: `${path} does not work: ${messageOf(thrown)}`,
      hint: `see what it prints: ${[path, ...args].join(' ')}`,
    };
  }
}

/** Without /proc the shell is asked: a child has the limit of its parent. */
async function readLimits(env: Environment): Promise<HostLimits> {
  const limits = readHostLimits();
  if (limits.descriptors !== null) return limits;
  const answer = await outputOf('/bin/sh', ['-c', 'ulimit -n'], env, ANSWER_LIMIT_MS).catch(() => null);
  const text = answer?.stdout.trim() ?? '';
  const descriptors = text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number.parseInt(text, 10);
  return { ...limits, descriptors: Number.isNaN(descriptors) ? null : descriptors };
}

async function readSharedMemory(): Promise<HostFacts['sharedMemory']> {
  try {
    const { blocks, bavail, bsize } = await statfs('/dev/shm');
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}

async function readThreadsPerCore(platform: string, env: Environment): Promise<number | null> {
  if (platform === 'darwin') {
    const args = ['-n', 'hw.logicalcpu', 'hw.physicalcpu'];
    const answer = await outputOf('/usr/sbin/sysctl', args, env, ANSWER_LIMIT_MS).catch(() => null);
    const [, logical, physical] = /^(\d+)\s+(\d+)\s*$/.exec(answer?.stdout ?? '') ?? [];
    return physical === undefined ? null : Number(logical) / Number(physical);
  }
  const siblings = await readText('/sys/devices/system/cpu/cpu0/topology/thread_siblings_list');
  return siblings === null ? null : threadsIn(siblings);
}

/** `0`, `0,4` or `0-1`: as many as are listed. */
export function threadsIn(siblings: string): number {
  return siblings.split(',').reduce((sum, part) => {
    const [first, last = first] = part.split('-').map(Number);
    return sum + (last ?? 0) - (first ?? 0) + 1;
  }, 0);
}

const readText = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
