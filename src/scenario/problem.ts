import { CapbenchError, EXIT } from '../errors.ts';
import { withoutShapes } from '../secret-shapes.ts';

/** Keys and list positions, from the root of the document. */
export type Path = readonly (string | number)[];

/** One error in a scenario. */
export interface Problem {
  /** `world.yaml:4:12`, `--set load.players=x`. */
  readonly where: string;
  /** `load.players`; empty for the document as a whole. */
  readonly path: string;
  /** What it got, and what was expected. */
  readonly message: string;
  readonly hint: string | null;
}

/** Problems that are shown at most: a file that is not a scenario has thousands. */
const SHOWN = 30;

export const pathText = (path: Path): string => path.join('.');

export const startsWith = (path: Path, start: Path): boolean => start.every((key, i) => key === path[i]);

/** A `--set` names its path itself, unless the problem is deeper in its value. */
const lineOf = ({ where, path, message }: Problem): string =>
  `${where}${path === '' || where.startsWith(`--set ${path}=`) ? '' : ` ${path}`}: ${message}`;

function messageOf(problems: readonly Problem[], more: number): string {
  const [first] = problems;
  if (first === undefined) return 'the scenario cannot be used';
  if (problems.length === 1) return lineOf(first);
  const lines = problems
    .slice(0, SHOWN)
    .flatMap((problem) => [
      `  ${lineOf(problem)}`,
      ...(problem.hint === null ? [] : [`    hint: ${problem.hint}`]),
    ]);
  const all = problems.length + more;
  const rest = all - SHOWN;
  return [`${all} problems`, ...lines, ...(rest > 0 ? [`  and ${rest} more`] : [])].join('\n');
}

/** All errors of a scenario. */
export class ScenarioError extends CapbenchError {
  readonly problems: readonly Problem[];

  /** `more`: problems that were not kept. */
  constructor(problems: readonly Problem[], more = 0) {
    super(
      EXIT.badInput,
      messageOf(problems, more),
      (problems.length === 1 && problems[0]?.hint) || undefined,
    );
    this.problems = problems;
  }
}

/** A value as errors show it: in YAML's notation where JSON has none, cut to one line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a map';
  // Redacted before it is cut, since part of a secret would not be recognised.
  const plain = typeof value === 'string' ? withoutShapes(value, 'text') : value;
  const text = JSON.stringify(plain) ?? String(plain);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
