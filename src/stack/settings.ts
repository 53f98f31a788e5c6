import type { EdgeSettings } from '../scenario/edge.ts';
import { balanceOf } from '../scenario/edge-balance.ts';
import type { Deviation, PostgresSettings, WorldSettings } from '../scenario/scenario.ts';
import { formatDuration, parseBytes } from '../units.ts';
import type { BoxedHeap } from './boxed-heap.ts';
import type { EdgeReading } from './edge-reading.ts';
import type { AppliedSetting } from './stack.ts';

/** The facts about this host and its PostgreSQL that limit which documented settings can be applied. */
export interface PostgresHost {
  readonly memoryBytes: number;
  /** Whose memory that is; absent: the host's. `stack`: what limits.stack allows, which settings of a box of that size would fit. */
  readonly memoryOf?: 'host' | 'stack';
  /** As `os.platform()` names it. */
  readonly platform: string;
  /** `16.14` */
  readonly postgresVersion: string;
  /** The libraries that this PostgreSQL can load. */
  readonly libraries: ReadonlySet<string>;
}

/** The share of the host's memory that a setting may take, and the unit of a bare number, in bytes. */
const MEMORY_SHARE: Readonly<Record<string, { readonly percent: number; readonly unit: number }>> = {
  shared_buffers: { percent: 25, unit: 8192 },
  effective_cache_size: { percent: 50, unit: 8192 },
  maintenance_work_mem: { percent: 10, unit: 1024 },
  autovacuum_work_mem: { percent: 10, unit: 1024 },
  work_mem: { percent: 10, unit: 1024 },
};

/** Without posix_fadvise, which macOS lacks, PostgreSQL 16 refuses any value except 0. */
const NEEDS_FADVISE = new Set(['effective_io_concurrency', 'maintenance_io_concurrency']);
/** An acknowledged operation must survive a crash, since durability is part of what a run measures. */
const ALWAYS_ON = new Set(['fsync', 'full_page_writes']);
const STATEMENTS_WITH_PARAMETERS = new Set(['mod', 'all']);

/** What a documented setting becomes; the reason is null where it is applied unchanged. */
type Application = Pick<AppliedSetting, 'applied' | 'reason' | 'hardware'>;

/**
 * The documented settings as far as this host allows, with a reason for each deviation. Pure: the same scenario on the
 * same host gives the same settings.
 */
export function applyPostgresSettings({ version, settings: all }: PostgresSettings, host: PostgresHost) {
  const configuration: Record<string, string> = {};
  const settings: AppliedSetting[] = [];
  for (const [setting, documented] of Object.entries(all)) {
    const application = apply(setting, documented, host);
    settings.push({ setting, documented, ...application });
    configuration[setting] = application.applied;
  }
  if (
    STATEMENTS_WITH_PARAMETERS.has(configuration.log_statement ?? '') &&
    configuration.log_parameter_max_length === undefined
  ) {
    configuration.log_parameter_max_length = '0';
    settings.push({
      setting: 'log_parameter_max_length',
      documented: '-1 (default)',
      applied: '0',
      reason: `log_statement = ${configuration.log_statement} would also log every array of every batch`,
      hardware: false,
    });
  }
  settings.push(
    shownSetting('postgresVersion', version, Number.parseInt(host.postgresVersion, 10)),
    shownSetting('postgresRelease', version, host.postgresVersion),
  );
  return { settings, configuration };
}

const verbatim = (value: string): Application => ({ applied: value, reason: null, hardware: false });
const because = (applied: string, reason: string): Application => ({ applied, reason, hardware: false });

function apply(setting: string, documented: string, host: PostgresHost): Application {
  const share = MEMORY_SHARE[setting];
  if (share !== undefined) return withinMemory(documented, share.percent, share.unit, host);
  if (NEEDS_FADVISE.has(setting) && host.platform === 'darwin' && documented !== '0')
    return because('0', 'macOS has no posix_fadvise, and PostgreSQL refuses any other value there');
  if (ALWAYS_ON.has(setting) && documented !== 'on')
    return because('on', 'acknowledged operations must survive a crash');
  if (setting === 'listen_addresses' && documented !== '')
    return because('', 'PostgreSQL is reached over a UNIX socket and opens no port');
  if (setting === 'shared_preload_libraries') return loadable(documented, host.libraries);
  return verbatim(documented);
}

function withinMemory(
  documented: string,
  percent: number,
  unit: number,
  { memoryBytes: memory, memoryOf = 'host' }: PostgresHost,
): Application {
  const needed = /^\d+$/.test(documented) ? Number(documented) * unit : parseBytes(documented);
  const allowed = (memory * percent) / 100;
  // -1 and the like have a meaning of their own.
  if (needed === undefined || needed <= allowed) return verbatim(documented);
  return {
    applied: `${Math.floor(allowed / 2 ** 20)}MB`,
    reason: `${memoryOf === 'host' ? 'this host' : 'the stack'} has ${gigabytes(memory)} of memory, and ${documented} within ${percent}% of it needs ${gigabytes((needed * 100) / percent)}`,
    hardware: true,
  };
}

const gigabytes = (bytes: number): string => `${Number((bytes / 2 ** 30).toFixed(1))} GB`;

function loadable(documented: string, libraries: ReadonlySet<string>): Application {
  const names = documented
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const missing = names.filter((name) => !libraries.has(name));
  if (missing.length === 0) return verbatim(documented);
  return because(
    names.filter((name) => libraries.has(name)).join(','),
    `this PostgreSQL was built without ${missing.join(', ')}`,
  );
}

/** A setting that a stack reports and does not choose; without `applied` it equals the documented one. */
export const shownSetting = (
  setting: string,
  documented: string | number,
  applied: string | number = documented,
): AppliedSetting => ({
  setting,
  documented: String(documented),
  applied: String(applied),
  reason: null,
  hardware: false,
});

/**
 * The settings of every system's servers, which run on capbench's own Node (`nodeMajor`).
 * @param boxed the heap that a limit of the whole stack's memory leaves to each; null: the documented one
 */
export const serverSettings = (
  { servers, heap, node }: WorldSettings,
  nodeMajor: number,
  boxed: BoxedHeap | null = null,
): readonly AppliedSetting[] => [
  ...(node === undefined
    ? []
    : [
        {
          ...shownSetting('node', node, nodeMajor),
          reason: node === nodeMajor ? null : 'the world servers run on the Node that runs capbench',
        },
      ]),
  shownSetting('worldServers', servers),
  boxed === null
    ? shownSetting('worldHeap', `${heap}MB`)
    : {
        ...shownSetting('worldHeap', `${heap}MB`, `${boxed.heap}MB`),
        reason: boxed.because,
        hardware: true,
      },
];

/**
 * The settings of the edge proxy; `version` is that of the program that runs, `reading` what was seen of it (null: nothing runs
 * yet). What is only repeated from the scenario is not said to be applied where it can be read: such a part is left out.
 */
export const edgeSettings = (
  edge: EdgeSettings,
  version: string,
  reading: EdgeReading | null,
): readonly AppliedSetting[] => {
  const { checks, perAddress, tls } = edge;
  const read = (
    setting: string,
    documented: string | number,
    seen: (reading: EdgeReading) => string | number | null,
  ): readonly AppliedSetting[] => {
    const applied = reading === null ? documented : seen(reading);
    return applied === null ? [] : [shownSetting(setting, documented, applied)];
  };
  return [
    shownSetting('edgeProgram', edge.program),
    shownSetting('edgeVersion', version),
    shownSetting('edgeBalance', balanceOf(edge)),
    ...(checks !== undefined
      ? [
          ...read('edgeCheckInterval', formatDuration(checks.every), ({ checkMs }) =>
            checkMs === null ? null : `${checkMs}ms`,
          ),
          ...read('edgeRise', checks.rise, ({ rise }) => rise),
          ...read('edgeFall', checks.fall, ({ fall }) => fall),
        ]
      : [
          shownSetting('edgeMaxFails', edge.maxFails),
          shownSetting('edgeFailTimeout', formatDuration(edge.failTimeout)),
        ]),
    shownSetting('edgeReadTimeout', formatDuration(edge.readTimeout)),
    ...(edge.connections === undefined
      ? []
      : read('edgeConnections', edge.connections, ({ connections }) => connections).map(withDescriptors)),
    ...(perAddress === undefined
      ? []
      : [
          ...read('edgeOpenPerAddress', perAddress.open, ({ open }) => open),
          ...read('edgeOpenedPerAddress', perAddress.opened, ({ opened }) => opened),
          shownSetting('edgeOpenedWithin', formatDuration(perAddress.within)),
        ]),
    ...(tls === undefined ? [] : read('edgeKeyBits', tls.keyBits, ({ keyBits }) => keyBits)),
  ];
};

function withDescriptors(setting: AppliedSetting): AppliedSetting {
  const documented = Number(setting.documented);
  if (Number(setting.applied) >= documented) return setting;
  const reason = `a process may have too few open files here for more: raise the limit (ulimit -n) to ${2 * documented + 200}`;
  return { ...setting, reason };
}

/** The deviations from the document that the settings do not already show. */
export function deviationsBeside(
  deviations: readonly Deviation[],
  settings: readonly AppliedSetting[],
): readonly AppliedSetting[] {
  const known = new Set(settings.map(({ setting }) => setting));
  return deviations
    .filter(({ setting }) => !known.has(setting))
    .map((deviation) => ({ ...deviation, hardware: /\bhardware\b/i.test(deviation.reason) }));
}

/** The servers' priority relative to the generator (supervision/priority.ts). */
export const prioritySetting = (steps: number): AppliedSetting => ({
  setting: 'priority',
  documented: 'not stated',
  applied: steps > 0 ? `nice ${steps} below the generator` : 'same as the generator',
  reason:
    steps > 0
      ? 'generator and servers share this host, and a generator that waits for a CPU measures its own delay'
      : "this host did not allow the servers' priority to be lowered",
  hardware: false,
});
