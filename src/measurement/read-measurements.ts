import { messageOf } from '../errors.ts';
import { contradictionsOf } from './contradictions.ts';
import { findDoubleKey } from './json-text.ts';
import { type Measurements, measurementsSchema } from './measurements.ts';

/** The result of parsing measurements. */
export type Parsed =
  | { readonly state: 'valid'; readonly measurements: Measurements }
  | { readonly state: 'invalid'; readonly problems: readonly string[] };

const SHOWN = 3;
const LONGEST_PROBLEM = 300;

/** Parses the text of a measurements.json; reports the first few problems as text. */
export function parseMeasurements(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return invalid([`it is not JSON: ${messageOf(error)}`]);
  }
  const double = findDoubleKey(text);
  if (double !== null) {
    return invalid([`line ${double.line}: the key ${JSON.stringify(double.key)} appears twice`]);
  }
  return readMeasurements(value);
}

/** The same for parsed JSON. */
export function readMeasurements(value: unknown): Parsed {
  const result = measurementsSchema.safeParse(value, {
    error: ({ input, message }) => (input === undefined ? 'missing' : message),
  });
  if (!result.success) {
    return invalid(
      result.error.issues.map(
        ({ path, message }) => `${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`,
      ),
    );
  }
  const wrong = contradictionsOf(result.data);
  return wrong.length > 0 ? invalid(wrong) : { state: 'valid', measurements: result.data };
}

const shortened = (problem: string): string =>
  problem.length > LONGEST_PROBLEM ? `${problem.slice(0, LONGEST_PROBLEM)}...` : problem;

function invalid(problems: readonly string[]): Parsed {
  const rest = problems.length - SHOWN;
  const shown = problems.slice(0, SHOWN).map(shortened);
  return { state: 'invalid', problems: rest > 0 ? [...shown, `and ${rest} more`] : shown };
}
