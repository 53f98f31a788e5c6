import { statSync } from 'node:fs';
import { platform } from 'node:os';
import type { Target } from '../address/target-address.ts';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import { PROCESS_NAME } from '../scenario/process-metric.ts';
import type { FaultProcess } from '../stack/fault-processes.ts';
import { ancestorsOf } from '../supervision/proc.ts';
import { startTime } from '../supervision/process-tree.ts';
import type { FaultProcessFlags } from './options.ts';
import type { LoadedScenario } from './scenario-files.ts';
import type { RunTargets } from './targets.ts';

const EXAMPLE = 'such as --fault-process redis=4711: a name that faults use (of: redis), and its pid';
const HIGHEST_PID = 2 ** 22;

/**
 * The processes that `--fault-process` names: of this user, on this host, beside loopback targets. The option is the
 * consent. @throws CapbenchError (104)
 */
export function readFaultProcesses(
  { machine: { uid, pid: ownPid } }: Pick<Host, 'machine'>,
  { faultProcess: texts }: FaultProcessFlags,
  targets: readonly Target[],
): readonly FaultProcess[] {
  if (texts.length === 0) return [];
  if (platform() !== 'linux')
    throw badInput('--fault-process needs /proc, which this platform does not have', 'leave it out');
  const away = targets.find(({ foreign }) => foreign);
  if (targets.length === 0 || away !== undefined) {
    const why = away === undefined ? 'is given without --target' : `is given with the target ${away.host}`;
    throw badInput(
      `--fault-process ${why}, expected loopback targets only: faults hit processes of this host`,
      'run capbench where the server runs, with a loopback --target or with stack.start',
    );
  }
  const processes = texts.map((text): FaultProcess => {
    const [, name = '', digits = ''] = /^([^=]*)=(\d{1,9})$/.exec(text) ?? [];
    const wrong = (what: string): Error => badInput(`--fault-process: ${what}`, EXAMPLE);
    if (!PROCESS_NAME.test(name)) throw wrong(`got "${text}", expected NAME=PID`);
    const pid = Number(digits);
    if (pid < 2 || pid > HIGHEST_PID) throw wrong(`got the pid ${pid}, expected 2 to ${HIGHEST_PID}`);
    const startedAt = startTime(pid);
    if (startedAt === null) throw wrong(`there is no process ${pid} (${name})`);
    if (ancestorsOf(ownPid).includes(pid)) throw wrong(`process ${pid} (${name}) is capbench, or started it`);
    if (ownerOf(pid) !== uid)
      throw wrong(`process ${pid} (${name}) belongs to another user, expected one of yours`);
    return { name, pid, startedAt };
  });
  const twice = processes.find(({ name }, i) => processes.findIndex((other) => other.name === name) < i);
  if (twice !== undefined)
    throw badInput(`--fault-process: the name ${twice.name} is given twice, expected once`, EXAMPLE);
  return processes;
}

/** The real user of a process; null where it has ended. */
const ownerOf = (pid: number): number | null =>
  statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;

/**
 * Refuses faults of processes that this run cannot reach, and names that no fault uses: a run without the fault must not
 * pass for one that had it. @throws CapbenchError (104)
 */
export function refuseUnreachableFaults(
  { scenario, system }: Pick<LoadedScenario, 'scenario' | 'system'>,
  {
    targets,
    starts,
    redis = null,
  }: Pick<RunTargets, 'targets' | 'starts'> & Partial<Pick<RunTargets, 'redis'>>,
  processes: readonly Pick<FaultProcess, 'name'>[],
): void {
  const ofRedis = redis === null ? undefined : scenario.faults.find(({ of }) => of === 'redis');
  if (ofRedis !== undefined) {
    throw badInput(
      `faults: ${ofRedis.action} of redis, and --redis names one that capbench did not start`,
      'leave --redis out, so that capbench starts one, or run without faults: --set "faults=[]"',
    );
  }
  const started = targets.length > 0 && starts === null ? [] : system.scenario.components(scenario);
  const shadow = processes.find(({ name }) => started.some((one) => one.name === name));
  if (shadow !== undefined) {
    throw badInput(
      `--fault-process: capbench starts ${shadow.name} itself`,
      `faults hit it without the option: remove it, or use another name`,
    );
  }
  const { faults } = scenario;
  const isOf = (name: string) => (one: { readonly name: string }) => one.name === name;
  const reached = ({ action, of }: (typeof faults)[number]): boolean =>
    action === 'drop' || started.some(isOf(of)) || (action !== 'restart' && processes.some(isOf(of)));
  const fault = faults.find((one) => !reached(one));
  if (fault !== undefined) {
    const { action, of } = fault;
    const isNamed = processes.some(isOf(of));
    throw badInput(
      isNamed
        ? `faults: ${action} of ${of}: capbench starts only what it has started, and ${of} is of --fault-process`
        : `faults: ${action} of ${of} needs a stack that capbench starts, or the pid of the process, and this run has neither`,
      isNamed
        ? 'use stop or kill, or a stack of your own (stack.start)'
        : `name the process with --fault-process ${of}=PID, or run without faults: --set "faults=[]"; dropping sockets works with any target`,
    );
  }
  const unused = processes.find(({ name }) => !faults.some(({ of }) => of === name));
  if (unused !== undefined) {
    throw badInput(
      `--fault-process: no fault of the scenario is of ${unused.name}`,
      `add one: faults: [{ action: stop, of: ${unused.name}, at: 10s, lasting: 2s }]`,
    );
  }
}
