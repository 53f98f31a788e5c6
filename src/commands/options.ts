import { type Command, Option } from 'commander';
import { badInput } from '../errors.ts';
import type { AccessFlags } from './target-access.ts';
import type { ProbeFlags } from './target-probes.ts';

/** What the scenario verbs take from the command line, as given: it is read where its errors belong. */
export interface ScenarioFlags {
  readonly set: readonly string[];
  readonly scale?: string;
  readonly duration?: string;
  readonly seed?: string;
}

/** An option that may be given again and again; `none` says what holds without it. */
export const several = (flags: string, description: string, none: string): Option =>
  new Option(flags, description)
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([], none);

/** The argument and the options of every verb that works on a scenario. */
export const withScenario = (command: Command): Command =>
  scenarioOptions(
    command.argument('<scenario>', 'a name from `capbench list`, or the path of a scenario file'),
  );

/** The options alone. */
export const scenarioOptions = (command: Command): Command =>
  command
    .addOption(several('--set <path=value>', 'change one value of the scenario; may be repeated', 'none'))
    .option('--scale <factor>', 'multiply players and rates, 0.25 for a quarter')
    .option('--duration <time>', 'only the measure phase, such as 30s or 5m')
    .option('--seed <number>', 'random seed');

/** Where a script wants what the bundle holds under a name of its own. */
export interface FixedPathFlags {
  readonly junit?: string;
  readonly summary?: string;
  readonly report?: string;
}

/** Adds the options to a command that renders reports. */
export const withFixedPaths = (command: Command): Command =>
  command
    .option('--junit <file>', 'junit.xml to this path too: the verdict, budgets and rules as test cases')
    .option('--summary <file>', 'summary.md to this path too: the comment for a pull request')
    .option('--report <file>', 'report.html to this path too: the page to read');

/** What `--target` takes beside it, as given. */
export type TargetFlags = AccessFlags &
  ProbeFlags & { readonly target: readonly string[]; readonly iOwn: readonly string[] };

/** The options of a run against servers that run already. */
export const withTargets = (command: Command): Command =>
  command
    .addOption(
      several(
        '--target <url>',
        'drive world servers that run already; one for each server',
        'start them here',
      ),
    )
    .addOption(
      several(
        '--i-own <host>',
        'a target that is not loopback is mine to load; its host, as its --target has it',
        'only loopback is loaded',
      ),
    )
    .option('--ca-file <file>', 'authorities to trust for https and wss, as PEM (default: those of Node)')
    .addOption(several('--header <line>', "'Name: value', sent with every request to a target", 'none'))
    .addOption(
      several('--header-env <name=variable>', 'the same, its value from the environment: a token', 'none'),
    )
    .option('--probe-postgres <url>', "the target's PostgreSQL, which is read and never written")
    .option('--probe-redis <url>', "the target's Redis: INFO, once a second")
    .addOption(several('--probe-metrics <url>', 'a Prometheus page of the target; may be repeated', 'none'));

/** What an option or a variable holds. @throws CapbenchError (104) where it is no whole number of 1 to `most` */
export function wholeNumber(source: string, text: string, most: number): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw badInput(`${source}: got "${text}", expected a whole number of 1 to ${most}`);
}
