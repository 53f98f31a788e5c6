import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../../../src/scenario/scenario.ts';
import { minimal, read } from '../../scenario/scenario-text.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { installedK6 } from './installed.ts';
import { scriptOf } from './script-parts.ts';

/** Ten players and sixty monsters for two seconds, with a budget on the latency. */
export const tenPlayers = (limit: string, more = ''): Scenario =>
  read(
    minimal(`  intentsPerSecond: 40
  monsters: 60
  monsterCommandsPerSecond: 200
  commandsPerPost: 10
  ramp: 0s
  warmUp: 1s
  duration: 2s
  drain: 3s
world: { servers: 2 }
budgets:
  - { id: everybody, metric: load.peakCcu, op: ">=", limit: 10, unit: players }
  - { id: soon, metric: latency.intent.due, stat: p95, op: <, limit: ${limit} }
${more}
`).replace('players: 100', 'players: 10'),
  );

/** A folder with the script, whose target refuses connections. */
export function exported(scenario: Scenario): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'script.js'), scriptOf(scenario, ['http://127.0.0.1:1']));
  return folder;
}

/** `k6 run` without capbench. */
export const k6Run = (folder: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(
      installedK6?.path ?? '',
      ['run', '--quiet', '--no-usage-report', '--address', '', ...flags, 'script.js'],
      { cwd: folder, env: { PATH: '/usr/bin:/bin', HOME: folder, ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : error.code, stdout: out, stderr: err }),
    );
  });
