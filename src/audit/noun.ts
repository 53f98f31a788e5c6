import { plural, singular } from '../scenario/plan-nouns.ts';
import { isMeasure } from '../scenario/plan-units.ts';

/** What is counted is the last word before the slash: `ops` of `UPDATE ops/s`. */
const COUNTED = /^(?<before>(?:[^%/]* )?)(?<word>(?:[A-Z]-)?[a-z]{3,})(?<after>\/.*)?$/;

/** A unit as it stands beside a number: `1 core`, `4 cores`, `1 batch/s`. What is no word for things (GB, %, ms) stays. */
export function unitBeside(isOne: boolean, unit: string): string {
  const { before = '', word, after = '' } = COUNTED.exec(unit)?.groups ?? {};
  if (word === undefined || isMeasure(word)) return unit;
  // Of several words only one that is plural already is sure to be a noun: `GB free`, `percentage points`.
  const changed = isOne ? singular(word) : before === '' ? plural(word) : word;
  return `${before}${changed}${after}`;
}
