import { expect, test, vi } from 'vitest';
import { userReportIn } from '../../../../src/load/k6/user-report.ts';
import { scheduleHashOf } from '../../../../src/load/schedule-hash.ts';
import { fluxWorkload } from '../../../../src/systems/flux/workload.ts';
import { fakes, fluxWorkloadOf, partsOf, scriptOf } from '../../../load/k6/script-parts.ts';
import { minimal, read } from '../../../scenario/scenario-text.ts';
import { plannedHash } from '../planned-hash.ts';

interface Script {
  readonly options: { readonly scenarios: Readonly<Record<string, { readonly vus: number }>> };
  readonly players: (data: unknown) => void;
  readonly lane: (data: unknown) => void;
}

/** A server that never answers, because the schedule does not depend on answers. */
class DeadSocket {
  readonly readyState = 0;
}

test.each([
  [
    'a ramp',
    'ramp: 2s, warmUp: 1s, duration: 4s, intentsPerSecond: 50, monsters: 50, monsterCommandsPerSecond: 280, commandsPerPost: 7',
  ],
  [
    'no ramp, a fractional rate',
    'ramp: 0s, warmUp: 0s, duration: 4s, intentsPerSecond: 37, monsters: 41, monsterCommandsPerSecond: 333, commandsPerPost: 1',
  ],
  [
    'no monsters',
    'ramp: 1s, warmUp: 0s, duration: 3s, intentsPerSecond: 20, monsters: 0, monsterCommandsPerSecond: 0',
  ],
])('all virtual users of the script together have the schedule of the native engine: %s', (_name, load) => {
  const lines = load.split(', ').map((line) => `  ${line}\n`);
  const scenario = read(minimal(`${lines.join('')}world: { servers: 2 }\n`));
  const workload = fluxWorkloadOf(scenario);
  const { monsters } = fluxWorkload(workload);
  const half = Math.ceil(monsters / 2);
  const ranges = [
    { from: 0, to: half },
    { from: half, to: monsters },
  ];
  const { players } = workload;
  const hashes: (readonly [number, number])[] = [];
  const print = (line: string): void => {
    const report = userReportIn(line);
    if (report !== null && 'hash' in report) hashes.push(report.hash);
  };
  const source = scriptOf(scenario);
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    const data = {
      ...{ go: Date.now() + 1000, connectFrom: Date.now(), run: 'k6' },
      worlds: ranges.map((range) => ({
        url: 'http://a',
        players: { from: 0, to: players },
        monsters: range,
      })),
    };
    const { scenarios } = partsOf<Script>(source, fakes()).options;
    for (const [name, { vus }] of Object.entries(scenarios)) {
      for (let user = 0; user < vus; user++) {
        const parts = { exec: { scenario: { iterationInTest: user } }, socket: DeadSocket, print };
        const script = partsOf<Script>(source, fakes({ CAPBENCH_REPORTS: '1' }, parts));
        (name === 'players' ? script.players : script.lane)(data);
      }
    }
    vi.advanceTimersByTime(60_000);
  } finally {
    vi.useRealTimers();
  }
  expect(scheduleHashOf(hashes)).toBe(plannedHash(workload, ranges));
});
