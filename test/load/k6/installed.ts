import { findK6, type K6Binary } from '../../../src/load/k6/binary.ts';

/** The k6 of this machine; null where there is none, so that its tests are skipped. */
export const installedK6: K6Binary | null = await findK6(process.env).catch(() => null);
if (installedK6 === null) {
  process.stderr.write('there is no k6 on PATH, and CAPBENCH_K6 names none: its tests are skipped\n');
}
