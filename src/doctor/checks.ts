import { CapbenchError } from '../errors.ts';
import { type HostLimits, planConnections } from '../load/limits.ts';
import { bytesText } from '../report/quantity.ts';
import { grouped } from '../units.ts';
import { type HostFacts, isObstacle, type OptionalProgram } from './host-facts.ts';

/**
 * `warning`: runs work, and less than they could. `missing`: a part that only some runs need. `unavailable`: this
 * platform does not report it. `error`: no run that starts a stack can work.
 */
export type CheckState = 'ok' | 'warning' | 'missing' | 'unavailable' | 'error';

export interface Check {
  readonly id: string;
  readonly group: 'machine' | 'limits' | 'programs';
  readonly title: string;
  readonly state: CheckState;
  readonly found: string;
  /** What to do, or what to type; null where there is nothing to do. */
  readonly advice: string | null;
}

type Outcome = Pick<Check, 'state' | 'found'> & { readonly advice?: string | null };

const ok = (found: string): Outcome => ({ state: 'ok', found });
const NOT_REPORTED: Outcome = { state: 'unavailable', found: 'not available on this platform' };

/** Everything that `capbench doctor` has to say, in its order. */
export function checksOf(facts: HostFacts): readonly Check[] {
  const check = (
    group: Check['group'],
    id: string,
    title: string,
    { state, found, advice = null }: Outcome,
  ): Check => ({ id, group, title, state, found, advice });
  return [
    check('machine', 'node', 'Node.js', checkNode(facts)),
    check('machine', 'cpu', 'CPU', checkCpu(facts)),
    check('machine', 'memory', 'Memory', checkMemory(facts)),
    check('machine', 'shared-memory', '/dev/shm', checkSharedMemory(facts)),
    check('machine', 'temporary', 'Temporary folder', checkTemporary(facts)),
    check('machine', 'clock', 'Clock', checkClock(facts)),
    check('machine', 'noise', 'Noise figures', checkNoise(facts)),
    check('limits', 'descriptors', 'Open files', checkDescriptors(facts)),
    check('limits', 'ports', 'Ephemeral ports', checkPorts(facts)),
    check('programs', 'postgres', 'PostgreSQL', checkPostgres(facts)),
    ...OPTIONAL.map((one) => check('programs', one.id, one.title, checkProgram(one, facts))),
    check('programs', 'scenarios', 'Scenarios', checkScenarios(facts)),
  ];
}

/** The same versions as `engines` in package.json. */
export function supportsNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
}

function checkNode({ node }: HostFacts): Outcome {
  const found = node.replace(/^v/, '');
  if (supportsNode(node)) return ok(found);
  return {
    ...{ state: 'error', found: `${found} is not supported` },
    advice: 'install Node.js 20.19 or newer, 22.12 or newer, or 24',
  };
}

/** The load and what is under test each want one. */
const FEWEST_CPUS = 2;

function checkCpu({ cpus, threadsPerCore, cpuQuota, arch }: HostFacts): Outcome {
  const smt =
    threadsPerCore === null
      ? ''
      : threadsPerCore > 1
        ? `, SMT on: ${grouped(threadsPerCore, 1)} threads share a core`
        : ', SMT off';
  const found = `${cpus} logical CPU${cpus === 1 ? '' : 's'} (${arch})${smt}`;
  if (cpuQuota !== null && cpuQuota < cpus) {
    return {
      ...{ state: 'warning', found: `${found}; the control group allows ${grouped(cpuQuota, 1)}` },
      advice:
        'a run that uses up the quota is stopped for part of each period, and is then invalid (rule throttled): raise the quota (docker run --cpus, or the CPU limit of the pod)',
    };
  }
  if (cpus >= FEWEST_CPUS) return ok(found);
  return {
    ...{ state: 'warning', found },
    advice:
      'the generator and the servers share one CPU: use two or more, or run the servers elsewhere (--target)',
  };
}

const LEAST_MEMORY_BYTES = 2 ** 30;

function checkMemory({ memoryBytes, usableMemoryBytes, availableMemoryBytes }: HostFacts): Outcome {
  const limited = usableMemoryBytes < memoryBytes;
  const free = availableMemoryBytes === null ? '' : `, ${bytesText(availableMemoryBytes)} available`;
  const found = `${bytesText(memoryBytes)}${free}${limited ? `; the control group allows ${bytesText(usableMemoryBytes)}` : ''}`;
  if (Math.min(availableMemoryBytes ?? memoryBytes, usableMemoryBytes) >= LEAST_MEMORY_BYTES)
    return ok(found);
  return {
    ...{ state: 'warning', found },
    advice: `this is less than ${bytesText(LEAST_MEMORY_BYTES)}: free memory${limited ? ' or raise the limit' : ''}, or run with a lower --scale`,
  };
}

/** Docker's default; PostgreSQL itself needs less than 1 MB of it, and parallel queries more. */
const SHARED_MEMORY_BYTES = 64 * 2 ** 20;
const LEAST_SHARED_MEMORY_BYTES = 2 ** 20;
/** What a container's mount of 64 MB has left when PostgreSQL runs. */
const ROUNDING = 0.9;

function checkSharedMemory({ sharedMemory }: HostFacts): Outcome {
  if (sharedMemory === null) return NOT_REPORTED;
  const { totalBytes, freeBytes } = sharedMemory;
  const found = `${bytesText(freeBytes)} free of ${bytesText(totalBytes)}`;
  if (freeBytes >= SHARED_MEMORY_BYTES * ROUNDING) return ok(found);
  return {
    ...{ state: freeBytes < LEAST_SHARED_MEMORY_BYTES ? 'error' : 'warning', found },
    advice:
      'PostgreSQL keeps shared memory there: remove what fills it (ls -l /dev/shm), or make it larger (mount -o remount,size=256m /dev/shm; docker run --shm-size=256m)',
  };
}

const checkTemporary = ({ temporary }: HostFacts): Outcome =>
  isObstacle(temporary)
    ? { state: 'error', found: temporary.problem, advice: temporary.hint }
    : ok(temporary.path);

/** Reading one of these takes a microsecond or more, since it is outside the CPU. */
const SLOW_CLOCKS: readonly string[] = ['hpet', 'acpi_pm', 'jiffies', 'pit'];

function checkClock({ clockSource }: HostFacts): Outcome {
  if (clockSource === null) return NOT_REPORTED;
  if (!SLOW_CLOCKS.includes(clockSource)) return ok(`clock source ${clockSource}`);
  return {
    ...{ state: 'warning', found: `clock source ${clockSource}, which is slow to read` },
    advice:
      'each latency costs the generator more CPU: select a faster one of /sys/devices/system/clocksource/clocksource0/available_clocksource',
  };
}

function checkNoise({ platform, reports }: HostFacts): Outcome {
  const names = { steal: 'steal', pressure: 'pressure (PSI)', waits: 'waiting time of processes' } as const;
  const all = ['steal', 'pressure', 'waits'] as const;
  const listed = (reported: boolean): string =>
    all
      .filter((one) => reports[one] === reported)
      .map((one) => names[one])
      .join(', ');
  const [there, absent] = [listed(true), listed(false)];
  if (absent === '') return ok(there);
  if (platform !== 'linux') {
    return {
      ...NOT_REPORTED,
      advice: `the rules on ${absent} are not applicable: make sure that nothing else runs here`,
    };
  }
  return {
    ...{ state: 'warning', found: `no ${absent}${there === '' ? '' : `; available: ${there}`}` },
    advice: reports.pressure
      ? 'the rules on it are not applicable'
      : 'the rules on it are not applicable; the kernel counts pressure when it is booted with psi=1',
  };
}

/** Players over as many servers, each with a port of its own: those of m4pro-20k and of quickstart. */
const LARGE = { players: 20_000, servers: 4 };
const SMALL = { players: 1_000, servers: 2 };

/** Why so many players cannot connect, as a run would say it; the number of load workers where they can. */
function connect({ players, servers }: typeof LARGE, limits: HostLimits): number | CapbenchError {
  const destinations = Array.from({ length: servers }, (_, index) => ({
    ...{ host: '127.0.0.1', port: index + 1, players: players / servers, descriptors: limits.descriptors },
  }));
  try {
    return planConnections(destinations, null, limits).workers;
  } catch (thrown) {
    if (thrown instanceof CapbenchError) return thrown;
    throw thrown;
  }
}

/** The limit is enough for a large run (ok), for a small one (warning), or for neither (error). */
function checkPlan(found: string, limits: HostLimits): Outcome {
  const large = connect(LARGE, limits);
  if (typeof large === 'number') {
    const workers = limits.descriptors === null ? '' : ` with ${large} load workers`;
    return ok(`${found}: enough for ${grouped(LARGE.players)} players${workers}`);
  }
  const small = connect(SMALL, limits);
  const enough = typeof small === 'number';
  const { message, hint } = enough ? large : small;
  return {
    state: enough ? 'warning' : 'error',
    found: `${found}: not enough for ${grouped((enough ? LARGE : SMALL).players)} players: ${message}`,
    advice: hint ?? null,
  };
}

const UNLIMITED = 2 ** 40;

function checkDescriptors({ limits }: HostFacts): Outcome {
  const { descriptors } = limits;
  if (descriptors === null) return NOT_REPORTED;
  // Any number of ports: they are the next check.
  const plenty = { ...limits, ports: { from: 1, to: 65_535 } };
  return checkPlan(descriptors >= UNLIMITED ? 'unlimited' : `${grouped(descriptors)} a process`, plenty);
}

function checkPorts({ limits }: HostFacts): Outcome {
  const { from, to } = limits.ports;
  return checkPlan(`${grouped(to - from + 1)} (${from}-${to})`, { ...limits, descriptors: null });
}

function checkPostgres(facts: HostFacts): Outcome {
  const { postgres, packageManager } = facts;
  if (postgres === null) {
    return { state: 'unavailable', found: 'not checked, because the temporary folder cannot be used' };
  }
  if (isObstacle(postgres)) {
    const toInstall = `to install one: ${install('postgres', facts)}; its programs are in ${POSTGRES_BIN[packageManager ?? 'apt-get']}`;
    return {
      ...{ state: 'error', found: postgres.problem },
      advice: postgres.hint === null ? toInstall : `${postgres.hint} (${toInstall})`,
    };
  }
  const { version, embedded, path, account } = postgres;
  const from = embedded ? 'from the npm package' : `from ${path}`;
  return ok(`${version}, ${from}${account === null ? '' : `; as root it runs as ${account}`}`);
}

const OPTIONAL: readonly {
  readonly id: OptionalProgram;
  readonly title: string;
  /** What needs the program. */
  readonly neededFor: string;
  /** What to do where it is installed and does not answer. */
  readonly repair?: string;
}[] = [
  { id: 'k6', title: 'k6', neededFor: '--engine k6 and exported scripts' },
  { id: 'redis', title: 'Redis', neededFor: 'scenarios that name it in capbench list' },
  { id: 'nginx', title: 'nginx', neededFor: 'scenarios that name it in capbench list' },
  { id: 'haproxy', title: 'haproxy', neededFor: 'scenarios with edge.program: haproxy' },
  {
    ...{ id: 'docker', title: 'Docker' },
    neededFor: 'docker-compose.bench.yml of a clone, the documented stack',
    repair: 'start the Docker daemon',
  },
];

function checkProgram({ id, neededFor, repair }: (typeof OPTIONAL)[number], facts: HostFacts): Outcome {
  const advice = `${id === 'redis' ? 'capbench setup redis, or ' : ''}${install(id, facts)}`;
  const program = facts.programs[id];
  if (program === null) return { state: 'missing', found: `not found; only needed for ${neededFor}`, advice };
  if (isObstacle(program)) {
    return {
      ...{ state: 'warning', found: `${program.problem} (only needed for ${neededFor})` },
      advice: [repair, program.hint].filter((one) => one != null).join(', or ') || advice,
    };
  }
  return ok(`${program.version} (${program.path})`);
}

/** Which of the scenarios that come with capbench can run here, and what the others lack. */
function checkScenarios({ scenarios }: HostFacts): Outcome {
  if (scenarios === null) return { state: 'unavailable', found: 'not checked, because they cannot be read' };
  const lacking = scenarios.filter(({ needs }) => needs.some(({ path }) => path === null));
  if (lacking.length === 0) return ok(`all ${scenarios.length} that come with capbench have what they need`);
  const missing = lacking.flatMap(({ needs }) => needs.filter(({ path }) => path === null));
  const named = lacking.map(({ name, needs }) => {
    const programs = needs.flatMap((one) => (one.path === null ? [one.name] : []));
    return `${name} (${programs.join(', ')})`;
  });
  return {
    ...{ state: 'warning', found: `without what they need: ${named.join(', ')}` },
    advice: [...new Set(missing.map(({ bring }) => bring))].join('; '),
  };
}

/** What each package manager calls it; Debian has no package of k6. */
const PACKAGES: Readonly<
  Record<OptionalProgram | 'postgres', { readonly 'apt-get': string | null; readonly brew: string }>
> = {
  postgres: { 'apt-get': 'postgresql-16', brew: 'postgresql@16' },
  k6: { 'apt-get': null, brew: 'k6' },
  redis: { 'apt-get': 'redis-server', brew: 'redis' },
  nginx: { 'apt-get': 'nginx', brew: 'nginx' },
  haproxy: { 'apt-get': 'haproxy', brew: 'haproxy' },
  docker: { 'apt-get': 'docker.io docker-compose', brew: '--cask docker' },
};

const POSTGRES_BIN = {
  'apt-get': '/usr/lib/postgresql/16/bin',
  brew: '$(brew --prefix postgresql@16)/bin',
} as const;

/** What to type, or where to look. */
function install(id: OptionalProgram | 'postgres', { packageManager, isRoot }: HostFacts): string {
  const name = packageManager === null ? null : PACKAGES[id][packageManager];
  if (packageManager === 'brew') return `brew install ${name}`;
  if (name !== null) return `${isRoot ? '' : 'sudo '}apt-get install ${name}`;
  if (id === 'k6')
    return 'https://grafana.com/docs/k6/latest/set-up/install-k6/ (version 2), or name it with CAPBENCH_K6';
  return `install ${PACKAGES[id].brew.replace('--cask ', '')} with the package manager of this system`;
}
