import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds on two cores with four others beside it; a file that is not here counts as a short one. */
const SECONDS: Readonly<Record<string, number>> = {
  'load/engine-reconnecting.test.ts': 75,
  'e2e/faults/host.test.ts': 50,
  'e2e/faults/processes.test.ts': 50,
  'e2e/trouble.test.ts': 45,
  'stack/disturbance.test.ts': 45,
  'supervision/life.test.ts': 45,
  'systems/own/module-players.test.ts': 43,
  'load/engine-misbehaving.test.ts': 40,
  'e2e/secrets.test.ts': 38,
  'e2e/faults/phases.test.ts': 35,
  'e2e/faults/target.test.ts': 35,
  'e2e/own-players.test.ts': 35,
  'e2e/run.test.ts': 35,
  'e2e/target-probes.test.ts': 35,
  'load/engine-behaving.test.ts': 35,
  'toy/toy.test.ts': 35,
  'e2e/disturbed.test.ts': 30,
  'e2e/foreign.test.ts': 30,
  'stack/local.test.ts': 30,
  'systems/own/protocols.test.ts': 26,
  'e2e/shaped.test.ts': 25,
  'probe/attached-postgres.test.ts': 21,
  'e2e/k6.test.ts': 20,
  'e2e/outcomes.test.ts': 20,
  'load/refusals.test.ts': 20,
  'systems/flux/server/exactly-once.test.ts': 18,
  'stack/postgres.test.ts': 17,
  'load/engine-stages.test.ts': 16,
  'systems/flux/server/return.test.ts': 16,
  'load/engine-ready.test.ts': 15,
  'load/k6/standalone.test.ts': 15,
  'systems/flux/autocannon/engine.test.ts': 15,
  'e2e/autocannon.test.ts': 12,
  'e2e/tls.test.ts': 12,
  'load/k6/engine.test.ts': 12,
  'load/k6/merge.test.ts': 12,
  'stack/stuck.test.ts': 12,
  'stack/under-load.test.ts': 12,
  'probe/host.test.ts': 11,
  'systems/flux/server/life.test.ts': 11,
  'systems/own/null-calibration.test.ts': 11,
};

const secondsOf = ({ moduleId }: TestSpecification): number =>
  Object.entries(SECONDS).find(([file]) => moduleId.endsWith(`/test/${file}`))?.[1] ?? 0;

/** A long file that begins last is waited for when all others are done: the longest begin first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}
