import { realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { DuetVersion, VersionName } from '../compare/duet.ts';
import { badInput, interrupted } from '../errors.ts';
import type { Host } from '../host.ts';
import { isFolder, readLogTail, writeArtefact } from '../measurement/bundle.ts';
import type { CommandPlan } from '../stack/command-component.ts';
import { type Repository, repositoryOf } from '../supervision/repository.ts';
import { openRunFolder, type RunFolder } from '../supervision/run-folder.ts';
import { runShellCommand } from '../supervision/shell-command.ts';
import { openWatchdog } from '../supervision/watchdog.ts';
import type { ChosenTier } from './chosen-tier.ts';
import { type LoadedScenario, openScenario } from './scenario-files.ts';
import { type PreparedRun, prepareRun, type SingleRunFlags } from './single-run.ts';

/** The options that say which versions there are, as given. */
export interface VersionFlags {
  readonly baseRef?: string;
  readonly base?: string;
  readonly head?: string;
  readonly prepare?: string;
}

/** One of the two versions, checked and not started. */
export interface VersionPlan {
  readonly facts: DuetVersion;
  readonly opened: Awaited<ReturnType<typeof openScenario>>;
  readonly prepared: PreparedRun;
}

/** A commit that has to be checked out for the base. */
interface Checkout {
  readonly repository: Repository;
  readonly ref: string;
  readonly commit: string;
  /** Within the repository: the folder of the scenario, and the working directory. */
  readonly scenarioFolder: string;
  readonly workingFolder: string;
  /** Run by a shell in both versions before the first trial. */
  readonly prepare: string | null;
}

/** Both versions, and what has to be done before the first trial. */
export interface DuetPlan {
  readonly base: VersionPlan;
  readonly head: VersionPlan;
  readonly checkout: Checkout | null;
}

/** What both ways of naming the versions start from. */
interface Given {
  readonly reference: string;
  readonly flags: SingleRunFlags & VersionFlags;
  readonly workers: number | null;
  readonly tier: ChosenTier | null;
}

/** @throws CapbenchError (104) where the versions are not named, or the scenario starts no server of the user's own */
export async function planDuet(host: Host, given: Given): Promise<DuetPlan> {
  const { flags } = given;
  refuseFlags(flags);
  const opened = await openScenario(host, given.reference, flags, 0, given.tier);
  const command = startOf(opened.base);
  return flags.baseRef === undefined ? byCommands(host, given) : byRef(host, given, opened, command);
}

function refuseFlags({ baseRef, base, head, prepare, target }: Given['flags']): void {
  const hint =
    'name the base by --base-ref main, which is compared with the working directory, or both versions by --base CMD and --head CMD';
  if (target.length > 0)
    throw badInput(
      '--target: a duet starts both versions itself, by stack.start of the scenario',
      'for servers that run already: capbench run --target of each, and capbench compare',
    );
  const commands = [base, head].filter((one) => one !== undefined);
  if (baseRef !== undefined && commands.length > 0)
    throw badInput('--base-ref and a command (--base, --head) are given, expected one of the two', hint);
  if (baseRef === undefined && commands.length < 2)
    throw badInput(
      commands.length === 0
        ? 'the two versions are missing'
        : `--${base === undefined ? 'base' : 'head'} is missing`,
      hint,
    );
  if (prepare !== undefined && baseRef === undefined)
    throw badInput(
      '--prepare: it is for the two folders of --base-ref',
      'prepare the versions of --base and --head before the duet',
    );
}

/** The command that starts the server. @throws CapbenchError (104) where there is none */
function startOf({ scenario, system }: LoadedScenario): CommandPlan {
  const command = system.command?.(scenario) ?? null;
  if (command !== null) return command;
  const instead = `to compare what capbench starts itself: capbench run ${scenario.name} --trials 10 with each version or setting, and capbench compare BASE HEAD`;
  throw badInput(
    `${scenario.name} starts no server of your own (stack.start), so that there are no two versions of one`,
    scenario.traits.needsTarget ? 'add stack: with start and ready to the scenario' : instead,
  );
}

async function byCommands(host: Host, { reference, flags, workers, tier }: Given): Promise<DuetPlan> {
  const version = async (command: string): Promise<VersionPlan> => {
    const own = { ...flags, set: [...flags.set, `stack.start=${command}`] };
    const opened = await openScenario(host, reference, own, 0, tier);
    const { text } = startOf(opened.base);
    return {
      facts: { name: text, command: text, commit: null, changes: null },
      opened,
      prepared: await prepareRun(host, opened.base, own, workers),
    };
  };
  return { base: await version(flags.base ?? ''), head: await version(flags.head ?? ''), checkout: null };
}

const SHOWN_COMMIT = 10;

async function byRef(
  host: Host,
  { flags, workers }: Given,
  opened: VersionPlan['opened'],
  command: CommandPlan,
): Promise<DuetPlan> {
  const { baseRef: ref = '', prepare = null } = flags;
  const folder = await realpath(dirname(opened.base.path));
  const repository = await repositoryOf(folder, host.env);
  if (repository === null)
    throw badInput(
      `--base-ref: the folder of the scenario, ${folder}, is in no git repository`,
      'keep the scenario beside the code that it starts, or give both versions by --base CMD --head CMD',
    );
  const { top } = repository;
  refuseAbsolute(command, top);
  const commit = await repository.commitNamed(ref, '--base-ref');
  const own = await repository.commitNamed('HEAD', 'HEAD');
  const changes = await repository.changes();
  const prepared = await prepareRun(host, opened.base, flags, workers);
  const named = (name: string, of: string): string => `${name} (${of.slice(0, SHOWN_COMMIT)})`;
  const shared = { command: command.text };
  const working = relative(top, await realpath(host.cwd));
  return {
    base: {
      facts: {
        name: ref.length > 6 && commit.startsWith(ref) ? commit.slice(0, SHOWN_COMMIT) : named(ref, commit),
        ...{ ...shared, commit, changes: null },
      },
      ...{ opened, prepared },
    },
    head: {
      facts: {
        name: `working directory (${own.slice(0, SHOWN_COMMIT)}${changes === null ? '' : ', changed'})`,
        ...{ ...shared, commit: own, changes },
      },
      ...{ opened, prepared },
    },
    checkout: {
      ...{ repository, ref, commit, prepare, scenarioFolder: relative(top, folder) },
      // From elsewhere, what prepares it is run at the top.
      workingFolder: working.startsWith('..') ? '' : working,
    },
  };
}

/** Both versions would run the same code. */
function refuseAbsolute({ start, reset, stop, environment }: CommandPlan, top: string): void {
  const named: readonly (readonly [key: string, texts: readonly string[]])[] = [
    ['start', start],
    ['reset', reset ?? []],
    ['stop', stop ?? []],
    ...Object.entries(environment).map(([name, value]) => [`environment.${name}`, [value]] as const),
  ];
  const found = named.find(([, texts]) => texts.some((text) => text.includes(`${top}/`)));
  if (found === undefined) return;
  throw badInput(
    `stack.${found[0]} names a file in ${top} by its absolute path, so that both versions would use that of the working directory`,
    'name it relative to the folder of the scenario, in which the command runs',
  );
}

/** Both versions, ready to be started. */
export interface OpenVersions {
  /** The folder of the scenario, in which a version is started; null: where the scenario is. */
  readonly folders: Readonly<Record<VersionName, string | null>>;
  /** Resolves with what could not be removed. Idempotent. */
  close(): Promise<readonly string[]>;
}

const AS_THEY_ARE: OpenVersions = { folders: { base: null, head: null }, close: async () => [] };

/**
 * Checks the base out, where it is a git ref, into a temporary folder.
 * @throws CapbenchError (104) where that commit lacks the folder of the scenario, (93) where git fails, (105) when aborted
 */
export async function openVersions(
  host: Host,
  { checkout }: DuetPlan,
  signal: AbortSignal,
): Promise<OpenVersions & { readonly prepare: (root: string) => Promise<void> }> {
  if (checkout === null) return { ...AS_THEY_ARE, prepare: async () => {} };
  const { repository, ref, commit, scenarioFolder, workingFolder, prepare } = checkout;
  const watchdog = await openWatchdog(host.env);
  let folder: RunFolder | null = null;
  let worktree: Awaited<ReturnType<Repository['checkOut']>> | null = null;
  let closing: Promise<readonly string[]> | undefined;
  const closeAll = async (): Promise<readonly string[]> => {
    const first = (await worktree?.close()) ?? null;
    await folder?.remove();
    return [first, await watchdog.close()].filter((one) => one !== null);
  };
  const close = (): Promise<readonly string[]> => {
    closing ??= closeAll();
    return closing;
  };
  try {
    folder = await openRunFolder(watchdog, [host.machine.tmp, '/tmp'], null, 'files');
    worktree = await repository.checkOut(commit, folder, signal);
    const { path } = worktree;
    const base = join(path, scenarioFolder);
    if (!(await isFolder(base)))
      throw badInput(
        `--base-ref: ${ref} has no folder ${scenarioFolder}, in which the server is started`,
        'keep the scenario in a folder that both versions have',
      );
    const logs = folder;
    return {
      folders: { base, head: null },
      close,
      async prepare(root) {
        if (prepare === null) return;
        const commands = [
          ['prepare-base', join(path, workingFolder)],
          ['prepare-head', join(repository.top, workingFolder)],
        ] as const;
        for (const [name, cwd] of commands) {
          host.stderr.write(`${name}: ${prepare}\n`);
          const log = logs.file(`${name}.log`);
          const command = {
            name,
            command: prepare,
            cwd,
            env: host.env,
            log,
            watchdog,
            limit: PREPARE_LIMIT_MS,
          };
          try {
            await runShellCommand(command, signal);
          } finally {
            const said = await readLogTail(log);
            const warning = await writeArtefact(root, `logs/${name}.log`, said, host.redaction);
            if (warning !== null) host.stderr.write(`warning: ${warning}\n`);
          }
        }
      },
    };
  } catch (thrown) {
    await close();
    throw signal.aborted ? interrupted('interrupted before the first trial') : thrown;
  }
}

const PREPARE_LIMIT_MS = 30 * 60e3;

/** A trial's scenario, started in the folder of its version. */
export const startedIn = (loaded: LoadedScenario, folder: string | null): LoadedScenario =>
  folder === null ? loaded : { ...loaded, path: join(folder, basename(loaded.path)) };
