import { type Command, Option } from 'commander';
import { badInput } from '../errors.ts';
import type { AccessFlags } from './target-access.ts';
import type { ProbeFlags } from './target-probes.ts';

/** The options of every verb that reads a scenario, as given. */
export interface ScenarioFlags {
  readonly set: readonly string[];
  readonly players?: string;
  readonly scale?: string;
  readonly duration?: string;
  readonly seed?: string;
}

/** An option that may be repeated. */
export const several = (flags: string, description: string): Option =>
  new Option(flags, description)
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([]);

/** The argument and the options of every verb that works on a scenario. */
export const withScenario = (command: Command): Command => scenarioOptions(named(command));

/** The same of a verb that chooses the scale itself. */
export const withScenarioUnscaled = (command: Command): Command => unscaledOptions(named(command));

const named = (command: Command): Command =>
  command.argument('<scenario>', 'a name from `capbench list`, or the path of a scenario file');

/** Only the options. */
export const scenarioOptions = (command: Command): Command =>
  unscaledOptions(command).option('--scale <factor>', 'multiply players and rates: 0.25 is a quarter');

const unscaledOptions = (command: Command): Command =>
  command
    .addOption(several('--set <path=value>', 'change one value of the scenario; repeatable'))
    .option('--players <number>', 'number of players before --scale; the rates stay as they are')
    .option('-d, --duration <time>', 'length of the measure phase: 30s, 5m')
    .option('--seed <number>', 'random seed');

/** Paths outside the bundle at which a script expects an artefact. */
export interface FixedPathFlags {
  readonly junit?: string;
  readonly summary?: string;
  readonly report?: string;
}

/** Adds the options to a command that renders reports. */
export const withFixedPaths = (command: Command): Command =>
  command
    .option('--junit <file>', 'write junit.xml here, too: verdict, budgets and rules as test cases')
    .option('--summary <file>', 'write summary.md here, too: a comment for a pull request')
    .option('--report <file>', 'write report.html here, too');

/** The processes that faults may hit, as given. */
export interface FaultProcessFlags {
  readonly faultProcess: readonly string[];
}

/** The options of `--target`, as given. */
export type TargetFlags = AccessFlags &
  ProbeFlags &
  FaultProcessFlags &
  GivenFlags & { readonly target: readonly string[]; readonly iOwn: readonly string[] };

/** The machine as which a stack runs, as given. */
export interface TierFlags {
  readonly tier?: string;
  readonly tiers: readonly string[];
}

/** The options of a run on a stack that is confined to the size of a machine. */
export const withTier = (command: Command): Command =>
  command
    .option('--tier <name>', "run the stack as on this machine, with this host's cores (list --tiers)")
    .addOption(tiersOption());

export const tiersOption = (): Option =>
  several('--tiers <file>', 'a file of tiers instead of those that come with capbench; repeatable');

/** The option that allows a start command. */
export const ALLOW_START = [
  '--allow-start',
  'run the start command that the scenario names (stack.start)',
] as const;

/** What a stack uses instead of starting it, as given. */
export interface GivenFlags {
  readonly redis?: string;
}

export const GIVEN_REDIS = [
  '--redis <url>',
  'use this Redis, an empty database, instead of starting one; it is emptied at the end',
] as const;

/** The option that confirms whose hosts are loaded. */
export const iOwn = (): Option =>
  several('--i-own <host>', 'confirm that you own this host (required off loopback)');

/** The options of a run against servers that run already. */
export const withTargets = (command: Command): Command =>
  command
    .addOption(several('--target <url>', 'a server that runs already, repeated for each; starts none'))
    .addOption(iOwn())
    .option('--ca-file <file>', 'CA certificates (PEM) for https and wss (default: those of Node)')
    .addOption(several('--header <line>', "'Name: value', sent with every request; repeatable"))
    .addOption(several('--header-env <name=variable>', 'a header whose value is in the environment'))
    .option('--probe-postgres <url>', "the target's PostgreSQL, which is only read")
    .option('--probe-redis <url>', "the target's Redis: INFO once a second")
    .addOption(several('--probe-metrics <url>', "a Prometheus page of the target's; repeatable"))
    .addOption(
      several(
        '--probe-process <name=where>',
        'a process on this host: a pid, :PORT or a pid file; repeatable',
      ),
    )
    .addOption(
      several('--fault-process <name=pid>', 'a process of yours on this host that faults may stop or kill'),
    )
    .option(...GIVEN_REDIS);

/** The option of a command that runs something for a while. */
export const DASHBOARD = [
  '--dashboard [port]',
  'a live view at 127.0.0.1 while it runs (default: any free port)',
] as const;

/** The options of a load that comes from other machines, as given. */
export interface AgentFlags {
  readonly agents?: string;
  readonly agentTokenFile?: string;
  readonly agentCa?: string;
}

/** The options of a run whose load may come from other machines. */
export const withAgents = (command: Command): Command =>
  command
    .option('--agents <host:port,..>', 'the load processes run at these agents (capbench agent)')
    .option('--agent-token-file <file>', 'the token that these agents were started with')
    .option('--agent-ca <file>', 'CA certificates (PEM) for the agents (default: those of Node)');

/** Adds the options that stand for `gate:` of a scenario. */
export const withGate = (command: Command): Command =>
  command
    .option('--threshold <percent>', 'a change for the worse beyond this is a regression (default: 5%)')
    .option('--confidence <percent>', 'of all metrics that decide together (default: 99%)')
    .addOption(several('--metric <name>', 'a metric that decides, instead of the default ones; repeatable'));

/** `30%` or `30`. @throws CapbenchError (104) unless it is `least` to `most` */
export function percentOf(option: string, text: string, least: number, most: number): number {
  const value = /^\s*\d+(\.\d+)?\s*%?\s*$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw badInput(
    `${option}: got ${JSON.stringify(text)}, expected a percentage of ${least} to ${most}`,
    `such as ${option} ${most / 2}%`,
  );
}

/** A whole number from an option or a variable. @throws CapbenchError (104) unless it is 1 to `most` */
export function wholeNumber(source: string, text: string, most: number): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw badInput(`${source}: got "${text}", expected a whole number of 1 to ${most}`);
}
