import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds on two cores with four others beside it; a file that is not here counts as a short one. */
const SECONDS: Readonly<Record<string, number>> = {};

const secondsOf = ({ moduleId }: TestSpecification): number =>
  Object.entries(SECONDS).find(([file]) => moduleId.endsWith(`/test/${file}`))?.[1] ?? 0;

/** A long file that begins last is waited for when all others are done: the longest begin first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  }
}
