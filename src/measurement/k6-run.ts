import { badInput } from '../errors.ts';
import { grouped } from '../units.ts';
import { type K6Summary, SEGMENT } from './k6-summary.ts';

/** A summary, and the file that it was read from, as it was named. */
export interface K6File {
  readonly file: string;
  readonly summary: K6Summary;
}

const HINT =
  'give the summary of each process of one run, once; CAPBENCH_RUN for k6 and capbench report distinguishes runs';

/**
 * Holds that summaries are of one run, and each of another process of k6, with a part of the load of its own.
 *
 * @param wanted the run's name; null where none was given
 * @throws CapbenchError (104) which files are not, and why
 */
export function refuseOtherRuns(files: readonly K6File[], wanted: string | null): void {
  const expected = wanted ?? files[0]?.summary.origin.run ?? null;
  const other = files.find(({ summary }) => summary.origin.run !== expected);
  if (other !== undefined) {
    throw badInput(
      `${other.file} is of ${named(other.summary.origin.run)}, expected ${named(expected)}`,
      'an earlier run may have left it: see what k6 logged in this one, whose environment has to have the same CAPBENCH_RUN',
    );
  }
  const processes = new Map<string, K6File>();
  for (const one of files) {
    const twin = processes.get(one.summary.origin.process);
    if (twin !== undefined)
      throw badInput(`${twin.file} and ${one.file} are of the same process of k6`, HINT);
    processes.set(one.summary.origin.process, one);
  }
  refuseApart(files);
  const parts = files
    .map((one) => ({ one, ...partOf(one.summary.origin.segment) }))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  for (const [i, part] of parts.entries()) {
    const before = parts[i - 1];
    if (before === undefined || part.from >= before.to - 1e-9) continue;
    const shown = ({ one }: typeof part): string => `${one.file} (${one.summary.origin.segment})`;
    throw badInput(
      `${shown(before)} and ${shown(part)} are of processes that made the same part of the load`,
      HINT,
    );
  }
}

/** Processes of one run measure at the same time. */
function refuseApart(files: readonly K6File[]): void {
  const [first, ...rest] = [...files].sort((a, b) => a.summary.go - b.summary.go);
  const last = rest.at(-1);
  if (first === undefined || last === undefined) return;
  const seconds = (last.summary.go - first.summary.go) / 1e3;
  if (seconds < first.summary.origin.durationSeconds) return;
  throw badInput(
    `${last.file} began ${grouped(seconds, 0)} s after ${first.file}, which had measured by then: they are of two runs`,
    HINT,
  );
}

const named = (run: string | null): string =>
  run === null ? 'a run without a name' : `the run "${run.slice(0, 64)}"`;

/** The part of the load, from 0 to 1, that an execution segment is. */
function partOf(segment: string): { readonly from: number; readonly to: number } {
  const [, from = 0, fromOf = 1, to = 1, toOf = 1] = SEGMENT.exec(segment) ?? [];
  return { from: Number(from) / Number(fromOf), to: Number(to) / Number(toOf) };
}
