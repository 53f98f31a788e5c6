import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds, measured on two cores with two others beside it; a file that is not here counts as a short one. */
const SECONDS: Readonly<Record<string, number>> = {
  'load/engine-reconnecting.test.ts': 74,
  'e2e/faults/host.test.ts': 59,
  'e2e/faults/processes.test.ts': 47,
  'load/engine-misbehaving.test.ts': 46,
  'e2e/run.test.ts': 45,
  'e2e/trouble.test.ts': 44,
  'toy/toy.test.ts': 42,
  'e2e/disturbed.test.ts': 37,
  'systems/own/module-players.test.ts': 35,
  'e2e/own-players.test.ts': 34,
  'e2e/target-probes.test.ts': 34,
  'e2e/faults/target.test.ts': 33,
  'e2e/secrets.test.ts': 33,
  'supervision/life.test.ts': 33,
  'e2e/outcomes.test.ts': 31,
  'systems/own/protocols.test.ts': 30,
  'load/engine-behaving.test.ts': 30,
  'stack/disturbance.test.ts': 28,
  'e2e/k6.test.ts': 26,
  'e2e/outside.test.ts': 45,
  'e2e/faults/phases.test.ts': 25,
  'e2e/shaped.test.ts': 28,
  'load/k6/engine.test.ts': 24,
  'load/k6/standalone.test.ts': 23,
  'stack/postgres.test.ts': 22,
  'systems/own/deliveries.test.ts': 20,
  'probe/attached-postgres.test.ts': 19,
  'systems/flux/autocannon/engine.test.ts': 19,
  'load/refusals.test.ts': 19,
  'systems/flux/server/life.test.ts': 18,
  'stack/local.test.ts': 18,
  'e2e/own-stack.test.ts': 17,
  'load/engine-stages.test.ts': 22,
  'load/k6/segments.test.ts': 15,
  'systems/own/null-calibration.test.ts': 14,
  'bench/truth/engine.test.ts': 14,
  'stack/command-component.test.ts': 12,
  'load/engine-ready.test.ts': 11,
  'stack/stuck.test.ts': 10,
  'e2e/autocannon.test.ts': 10,
};

const secondsOf = ({ moduleId }: TestSpecification): number =>
  Object.entries(SECONDS).find(([file]) => moduleId.endsWith(`/test/${file}`))?.[1] ?? 0;

/** A long file that begins last is waited for when all others are done: the longest begin first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}
