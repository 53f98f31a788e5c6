import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds, measured on two cores with four others beside it; a file that is not here counts as a short one. */
const SECONDS: Readonly<Record<string, number>> = {
  'load/engine-reconnecting.test.ts': 76,
  'e2e/trouble.test.ts': 30,
  'e2e/served.test.ts': 40,
  'e2e/secrets.test.ts': 25,
  'e2e/outside.test.ts': 76,
  'e2e/target-probes.test.ts': 30,
  'e2e/run.test.ts': 38,
  'toy/toy.test.ts': 48,
  'e2e/faults/target.test.ts': 46,
  'load/module/module-players.test.ts': 44,
  'systems/own/protocols.test.ts': 44,
  'load/engine-misbehaving.test.ts': 44,
  'stack/disturbance.test.ts': 35,
  'e2e/own-players.test.ts': 34,
  'e2e/shaped.test.ts': 33,
  'supervision/life.test.ts': 45,
  'load/engine-behaving.test.ts': 30,
  'e2e/faults/phases.test.ts': 29,
  'e2e/own-stack.test.ts': 26,
  'e2e/k6.test.ts': 26,
  'e2e/mud.test.ts': 19,
  'stack/postgres.test.ts': 24,
  'load/k6/engine.test.ts': 24,
  'load/engine-stages.test.ts': 23,
  'systems/flux/autocannon/engine.test.ts': 19,
  'stack/local.test.ts': 18,
  'systems/flux/server/life.test.ts': 17,
  'load/refusals.test.ts': 17,
  'stack/edge.test.ts': 16,
  'load/module/deliveries.test.ts': 15,
  'e2e/search.test.ts': 24,
  'load/agent/agents.test.ts': 15,
  'e2e/quiz.test.ts': 19,
  'e2e/massless.test.ts': 20,
  'e2e/edge.test.ts': 15,
  'systems/massless/server/server.test.ts': 26,
  'e2e/realm.test.ts': 19,
  'systems/quiz/server/server.test.ts': 23,
  'systems/own/null-calibration.test.ts': 14,
  'server/batch-writer.test.ts': 14,
  'score/score.test.ts': 9,
  'systems/mud/server/instances.test.ts': 14,
  'stack/stuck.test.ts': 15,
  'systems/realm/server/world.test.ts': 12,
  'systems/realm/server/processes.test.ts': 16,
  'commands/list.test.ts': 12,
  'commands/setup.test.ts': 12,
  'e2e/autocannon.test.ts': 11,
  'systems/flux/foreign-servers.test.ts': 10,
};

const secondsOf = ({ moduleId }: TestSpecification): number =>
  Object.entries(SECONDS).find(([file]) => moduleId.endsWith(`/test/${file}`))?.[1] ?? 0;

/** A long file that begins last is waited for when all others are done: the longest begin first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}
