import type { EngineName } from '../load/engine.ts';
import { connectSecondsOf } from '../load/k6/k6-system.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { playersAtStart, type Workload } from '../scenario/workload.ts';

/** The null servers, ramp, warm-up and drain of a calibration. */
const CALIBRATION_SPARE_SECONDS = 3;
/** PostgreSQL, the world's rows and its servers. */
const STACK_SECONDS = 2;
/** Rows inserted, and updated one by one and in batches. */
const CEILINGS = 3;
/** The canaries, the drain, the verification and the bundle. */
const REST_SECONDS = 3;

/** An estimate of the whole run in seconds, from its scenario. */
export function expectedLength(
  scenario: Scenario,
  workload: Workload,
  engine: EngineName,
  stack: 'local' | 'target',
): number {
  const { calibration, ceilings } = scenario;
  const connect =
    engine === 'k6' ? connectSecondsOf(workload) : playersAtStart(workload) / workload.connectsPerSecond;
  const calibrating =
    calibration.seconds === 0
      ? 0
      : calibration.seconds + CALIBRATION_SPARE_SECONDS + (engine === 'k6' ? connect : 0);
  const starting = stack === 'target' ? 0 : STACK_SECONDS + CEILINGS * ceilings.secondsEach;
  return calibrating + starting + connect + workload.timeline.end / 1e6 + REST_SECONDS;
}
