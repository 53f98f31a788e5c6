import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '..', 'src');

/** The rooms in the order in which the data passes through them. */
const WAY = [
  ...[
    'scenario',
    'audit',
    'address',
    'supervision',
    'server',
    'stack',
    'load',
    'probe',
    'measurement',
    'judge',
    'model',
    'compare',
  ],
  ...['report', 'dashboard', 'export', 'proposal', 'doctor', 'score'],
];
/** Wire the rooms together; may import any of them, and the contract of a system. */
const WIRING = ['run', 'commands', 'cli.ts'];
/** Text in, text out. */
const PURE = ['scenario', 'audit', 'judge', 'model', 'compare', 'report', 'export', 'proposal'];
const DRIVERS = ['pg', 'ws', 'ioredis', 'undici', 'autocannon', 'node:child_process'];
const DRIVER_ROOMS = ['address', 'supervision', 'server', 'stack', 'probe', 'load', 'score', 'systems'];
const CONTRACT = 'systems/system.ts';
const REGISTRY = 'systems/registry.ts';
interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  /** True for a dynamic import, which may never be loaded. */
  readonly later: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'));

/** The processes of capbench beside the CLI, which have a `process` of their own. */
const ENTRIES = [
  ...files.filter((file) => /^systems\/[^/]+\/[^/]+\/main\.ts$/.test(file)),
  ...['load/fleet/worker-process.ts', 'score/benchmark-process.ts', 'supervision/watchdog-process.ts'],
];

const imports: Import[] = files.flatMap((from) =>
  [
    ...readFileSync(join(src, from), 'utf8').matchAll(
      /^\s*(?:import|export)\s(?:(type)\s)?[^'";]*?from\s+'([^']+)'|import\(\s*'([^']+)',?\s*\)|^import\s+'([^']+)'/gms,
    ),
  ].map((match) => {
    const target = match[2] ?? match[3] ?? match[4] ?? '';
    const to = target.startsWith('.')
      ? relative(src, normalize(join(src, dirname(from), target)))
          .split(sep)
          .join('/')
      : target;
    return { from, to, typeOnly: match[1] === 'type', later: match[3] !== undefined };
  }),
);

/** `load` for load/fleet/fleet.ts; the file's own name for a file of the root. */
const roomOf = (file: string): string => file.split('/')[0] ?? file;
const isPure = (file: string): boolean => PURE.includes(roomOf(file));
const isOurs = (target: string): boolean => target.endsWith('.ts');
const show = ({ from, to }: Import): string => `${from} -> ${to}`;

test('the imports are found', () => {
  expect(files.length).toBeGreaterThan(30);
  expect(imports.map(show)).toContain('run/run.ts -> clock.ts');
  expect(imports.some(({ from, to }) => from.startsWith('systems/flux/server/') && to === 'pg')).toBe(true);
});

test('a room imports only rooms that come before it', () => {
  const against = imports.filter(({ from, to }) => {
    if (!isOurs(to)) return false;
    const [room, other] = [roomOf(from), roomOf(to)];
    if (room === other || WIRING.includes(room) || room === 'systems') return false;
    if (to === CONTRACT) return room !== 'host.ts';
    if (room === 'host.ts') return WAY.includes(other) || WIRING.includes(other);
    if (!WAY.includes(other) && other.endsWith('.ts')) return WIRING.includes(other) || other === 'host.ts';
    return !(WAY.includes(room) && WAY.indexOf(other) >= 0 && WAY.indexOf(other) < WAY.indexOf(room));
  });
  expect(against.map(show)).toEqual([]);
});

test('only processes of systems import what their servers share, which knows nothing of a run', () => {
  const isProcess = (file: string): boolean => /^systems\/[^/]+\/[^/]+\//.test(file);
  const against = imports.filter(({ from, to }) => {
    if (roomOf(from) === 'server')
      return isOurs(to) && WAY.includes(roomOf(to)) && !ITS_ROOMS.includes(roomOf(to));
    return roomOf(to) === 'server' && !isProcess(from);
  });
  expect(against.map(show)).toEqual([]);
  expect(imports.some(({ to }) => to === 'server/frame.ts')).toBe(true);
});
const ITS_ROOMS = ['server', 'supervision'];

test('judging and reporting import nothing of load and stack', () => {
  const against = imports.filter(
    ({ from, to, typeOnly }) =>
      ['judge', 'report'].includes(roomOf(from)) &&
      isOurs(to) &&
      ['load', 'stack', 'probe'].includes(roomOf(to)) &&
      !typeOnly,
  );
  expect(against.map(show)).toEqual([]);
});

/** `flux` for systems/flux/server/main.ts; null for what stands in no system's folder. */
const systemOf = (file: string): string | null => /^systems\/([^/]+)\//.exec(file)?.[1] ?? null;

test('a system is imported only through its contract', () => {
  const against = imports.filter(({ from, to, later }) => {
    if (systemOf(to) !== null) return systemOf(from) !== systemOf(to) && from !== REGISTRY;
    if (to === REGISTRY) return from !== 'cli.ts' || !later;
    return (
      to === CONTRACT && !WIRING.includes(roomOf(from)) && !['host.ts', 'systems'].includes(roomOf(from))
    );
  });
  expect(against.map(show)).toEqual([]);
});

test('no file imports itself through others, types included', () => {
  const targets = new Map<string, readonly string[]>(
    files.map((file) => [
      file,
      imports.filter(({ from, to }) => from === file && isOurs(to)).map(({ to }) => to),
    ]),
  );
  const reached = (start: string): ReadonlySet<string> => {
    const seen = new Set(targets.get(start));
    for (const file of seen) for (const next of targets.get(file) ?? []) seen.add(next);
    return seen;
  };
  expect(files.filter((file) => reached(file).has(file))).toEqual([]);
});

/** What a pure room may use that is not ours: parsers, drawing and hashes, which take and give values. */
const PURE_PACKAGES: readonly RegExp[] = [
  /^zod$/,
  /^yaml$/,
  /^(?:acorn|@sveltejs\/acorn-typescript)$/,
  /^hdr-histogram-js$/,
  /^node:crypto$/,
  /^(?:d3-scale|chart\.js|chartjs-node-canvas|@napi-rs\/canvas|@fontsource\/.+)$/,
  // In the scripts that run inside k6.
  /^k6(?:\/|$)/,
];

test('pure rooms import nothing that reads a file, starts a process or opens a connection', () => {
  const impure = (to: string): boolean => !isOurs(to) && !PURE_PACKAGES.some((one) => one.test(to));
  const against = imports.filter(({ from, to, typeOnly }) => isPure(from) && impure(to) && !typeOnly);
  expect(against.map(show)).toEqual([]);
  // Nor does what they load from other rooms, when they are loaded.
  const byWayOfOthers = files
    .filter(isPure)
    .flatMap((file) => [...loadedBy(file)].filter(impure).map((to) => `${file} -> .. -> ${to}`));
  expect(byWayOfOthers).toEqual([]);
});

test('only the rooms that connect to something import drivers', () => {
  const against = imports.filter(
    ({ from, to, typeOnly }) => DRIVERS.includes(to) && !typeOnly && !DRIVER_ROOMS.includes(roomOf(from)),
  );
  expect(against.map(show)).toEqual([]);
});

/** All that is loaded at the start of a process, files and packages. */
function loadedBy(entry: string): ReadonlySet<string> {
  const loaded = new Set([entry]);
  for (const file of loaded)
    for (const { from, to, typeOnly, later } of imports)
      if (from === file && !typeOnly && !later) loaded.add(to);
  return loaded;
}

test('the processes beside the CLI do not load the scenario parser', () => {
  expect(loadedBy('scenario/read-scenario.ts')).toContain('zod');
  expect(ENTRIES.length).toBeGreaterThan(3);
  const entries = [...ENTRIES, 'load/fleet/wake-timer-thread.ts'];
  expect(entries.filter((entry) => loadedBy(entry).has('zod'))).toEqual([]);
});

test("the load's worker imports no system, and a system's worker module starts without what only some players need", () => {
  const modules = files.filter((file) => /^systems\/[^/]+\/worker\.ts$/.test(file));
  expect(modules).toContain('systems/flux/worker.ts');
  const worker = [...loadedBy('load/fleet/worker-process.ts')];
  expect(worker.filter((file) => file.startsWith('systems/'))).toEqual([]);
  for (const module of modules) {
    const loaded = loadedBy(module);
    for (const later of ['zod', 'pg', 'autocannon', 'systems/own/http.ts'])
      expect(loaded, module).not.toContain(later);
    // Players by module are what other systems' players always are.
    if (module === 'systems/own/worker.ts') expect(loaded).not.toContain('load/module/module-protocol.ts');
  }
});

test('only host.ts uses the process of the CLI', () => {
  const apart = (file: string): boolean => file !== 'host.ts' && !ENTRIES.includes(file);
  const rooms = [...WIRING, ...PURE, 'measurement'];
  const touching = files.filter(
    (file) =>
      apart(file) &&
      rooms.includes(roomOf(file)) &&
      /\bprocess\.[a-z]/.test(readFileSync(join(src, file), 'utf8')),
  );
  expect(touching).toEqual([]);
  const importing = imports.filter(({ from, to }) => /^(?:node:)?process$/.test(to) && apart(from));
  expect(importing.filter(({ from }) => rooms.includes(roomOf(from))).map(show)).toEqual([]);
});
