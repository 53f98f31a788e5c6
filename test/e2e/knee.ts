import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stablePort } from '../../src/supervision/stable-port.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { root } from './capbench.ts';

/**
 * A scenario of players with five operations a second each, on a server that answers `answers` of them a second: its path. No rule of how
 * busy the machine is decides what comes of it. `budgets`: each a line of YAML.
 */
export async function kneeScenario(
  players: number,
  answers: number,
  budgets: readonly string[],
): Promise<string> {
  const path = join(temporaryFolder(), 'knee.yaml');
  const port = await stablePort('127.0.0.1');
  writeFileSync(
    path,
    `name: knee
system: own
load: { players: ${players}, operations: { intent: { perSecond: ${5 * players} } }, ramp: 0s, warmUp: 0s, duration: 1s, drain: 5s, skipAfter: 5s }
calibration: { seconds: 0, canary: false }
rules: { foreignCpuPercent: 100, stealMeanPercent: 100, stealMaxPercent: 100, confidencePercent: 0, generatorLagMs: 60000, generatorLoopDelayMs: 60000, generatorStalledPercent: 100, generatorUtilisationPercent: 100 }
players: { protocol: json, commands: [{ command: look }] }
stack:
  start: node ${join(root, 'test', 'outside', 'knee.mjs')}
  ready: http://127.0.0.1:${port}/
  environment: { PORT: ${port}, PER_SECOND: ${answers} }
budgets:
${budgets.map((budget) => `  - ${budget}\n`).join('')}`,
  );
  return path;
}
