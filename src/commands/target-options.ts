import { type Command, Option } from 'commander';
import type { AccessFlags } from './target-access.ts';
import type { ProbeFlags } from './target-probes.ts';

/** What `--target` takes beside it, as given. */
export type TargetFlags = AccessFlags &
  ProbeFlags & { readonly target: readonly string[]; readonly iOwn: readonly string[] };

const repeated = (text: string, before: readonly string[]): readonly string[] => [...before, text];

const several = (flags: string, description: string, none: string): Option =>
  new Option(flags, description).argParser(repeated).default([], none);

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
