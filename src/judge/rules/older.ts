import type { Measurements } from '../../measurement/measurements.ts';

/**
 * Whether an older capbench wrote the bundle, which knew none of the facts that came with these rules. One fact alone
 * that is missing makes no bundle older: it is missing.
 */
export const isOlder = ({ canary, calibration, series, operations }: Measurements): boolean =>
  canary === null &&
  calibration === null &&
  operations.intent.windows.length === 0 &&
  operations.monsterCommand.windows.length === 0 &&
  !Object.keys(series).some((name) => name.includes('.slice.'));
