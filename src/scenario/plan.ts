import type { z } from 'zod';
import { grouped } from '../units.ts';
import type { Claim, Claims } from './claims.ts';
import { type Finding, findingAt } from './finding.ts';
import { nearest } from './nearest.ts';
import type { Given, planSchema } from './plan-schema.ts';
import { EXPECTED, fits, measureLike, planUnit, unitOfNumber } from './plan-units.ts';
import { type Path, shown } from './problem.ts';

/** A figure of a plan, in base units. */
export interface Figure extends Given {
  /** A figure that is one number has twice the same. */
  readonly low: number;
  readonly high: number;
  /** What it measures (plan-units.ts); empty for a number that only others give a unit, `words` for what is said. */
  readonly base: string;
  /** The unit in which it was written, and how many of the base unit that is. Of words, the text. */
  readonly unit: string;
  readonly factor: number;
  /** Of a claim or a text with `~`. */
  readonly approximate: boolean;
  /** The claims that state it. */
  readonly claims: readonly string[];
}

type Resolved<T> = T extends Given
  ? Figure
  : T extends readonly (infer Element)[]
    ? readonly Resolved<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: Resolved<T[Key]> }
      : T;

/** The figures of a document by section, with the values of their claims. */
export type Plan = Resolved<z.output<typeof planSchema>>;

/** A plan as it is written in files. */
export const writtenPlan = (plan: Plan): object => unread(plan) as object;

function unread(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unread);
  if (isGiven(value)) return value.written;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unread(inner)]));
}

type Mutable = { -readonly [Key in keyof Figure]: Figure[Key] };
interface Member {
  readonly figure: Mutable;
  readonly path: Path;
}

const isGiven = (value: object): value is Given => 'written' in value && 'expects' in value;

/** Looks up the claims of a plan, and checks that figures which are held against each other have the same unit. */
export function readPlan(
  given: z.output<typeof planSchema>,
  claims: Claims,
): { readonly plan: Plan; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const resolve = (value: unknown, path: Path, entry: Member[]): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((one, i) => resolveElement(one, [...path, i], entry));
    if (!isGiven(value))
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [key, resolve(inner, [...path, key], entry)]),
      );
    const read = readFigure(value, claims);
    if ('message' in read) {
      findings.push(findingAt(path, read.message, read.hint));
      return value;
    }
    const figure: Mutable = { ...value, ...read };
    entry.push({ figure, path });
    return figure;
  };
  // Each entry of a list has a unit of its own.
  const resolveElement = (value: unknown, path: Path, around: Member[]): unknown => {
    if (typeof value !== 'object' || value === null || isGiven(value)) return resolve(value, path, around);
    const entry: Member[] = [];
    const result = resolve(value, path, entry);
    findings.push(...withOneUnit(entry));
    return result;
  };
  for (const [name, ids] of Object.entries(given.disputes ?? {}))
    for (const [i, id] of ids.entries()) {
      const known = claimOf(id, claims);
      if ('message' in known)
        findings.push(findingAt(['plan', 'disputes', name, i], known.message, known.hint));
    }
  const sections = Object.entries(given).map(([key, value]) => [
    key,
    resolveElement(value, ['plan', key], []),
  ]);
  return { plan: Object.fromEntries(sections) as Plan, findings };
}

/** Gives numbers the unit of the figures beside them. @returns the figures whose units are others */
function withOneUnit(entry: readonly Member[]): readonly Finding[] {
  const hasWhole = entry.some(({ figure }) => figure.expects === 'whole');
  const members = entry.filter(({ figure: { expects, base } }) => {
    if (expects === 'any' || expects === 'whole') return true;
    return expects === 'part' && !(hasWhole && base === 'share');
  });
  const first = members.find(({ figure }) => figure.base !== '');
  if (first === undefined) return [];
  const { base, unit, factor } = first.figure;
  return members.flatMap(({ figure, path }) => {
    if (figure.base === '') {
      Object.assign(figure, { base, unit, factor, low: figure.low * factor, high: figure.high * factor });
      return [];
    }
    if (figure.base === base) return [];
    return findingAt(
      path,
      `got ${shown(figure.written)} in ${unitText(figure)}, beside ${shown(first.figure.written)} in ${unitText(first.figure)}; expected the same unit`,
      meantUnit(figure.unit) ??
        meantUnit(unit) ??
        'operations, row writes and batches are different things: only figures of one unit can be compared',
    );
  });
}

function meantUnit(spelled: string): string | null {
  const meant = measureLike(spelled);
  return meant === undefined ? null : `did you mean ${meant}?`;
}

/** `UPDATE ops/s (row writes/s)` */
const unitText = ({ unit, base }: { readonly unit: string; readonly base: string }): string =>
  unit === base ? unit : `${unit} (${base === 'share' ? 'a share' : base})`;

interface Refused {
  readonly message: string;
  readonly hint: string | null;
}
type Value = Omit<Figure, keyof Given>;

function readFigure(given: Given, claims: Claims): Value | Refused {
  if (given.expects === 'words') return readWords(String(given.written), claims);
  const read = readWritten(given, claims);
  return 'message' in read || read.low > 0 || !given.divides
    ? read
    : { message: `got ${shown(given.written)}, expected more than 0`, hint: 'others are divided by it' };
}

function readWritten({ written, expects }: Given, claims: Claims): Value | Refused {
  const parts = Array.isArray(written) ? written : [written];
  const read = parts.map((one) => readOne(one, expects, claims));
  const refused = read.find((one): one is Refused => 'message' in one);
  if (refused !== undefined) return refused;
  const values = read as readonly Value[];
  const [first, second] = values;
  if (first === undefined) return { message: 'got an empty list, expected a figure', hint: null };
  if (values.every(({ claims: ids }) => ids.length === 1)) return ofClaims(values, first);
  if (second === undefined) return first;
  if (values.length > 2)
    return { message: `got ${values.length} figures, expected [low, high] or a list of claims`, hint: null };
  if (first.base !== second.base)
    return {
      message: `got a range in ${unitText(first)} and ${unitText(second)}, expected one unit`,
      hint: null,
    };
  if (first.low > second.high)
    return { message: `got ${shown(parts[0])} before ${shown(parts[1])}, expected [low, high]`, hint: null };
  return { ...first, high: second.high, claims: [...first.claims, ...second.claims] };
}

/** One figure that several claims state. */
function ofClaims(values: readonly Value[], first: Value): Value | Refused {
  const ids = values.flatMap(({ claims }) => claims);
  const other = values.find(
    ({ base, low, high }) => base !== first.base || low !== first.low || high !== first.high,
  );
  if (other === undefined) return { ...first, claims: ids };
  return {
    message: `got ${first.claims[0]} (${numberText(first)}) and ${other.claims[0]} (${numberText(other)}), expected claims that state the same`,
    hint: 'to hold them against each other, list them under plan.same',
  };
}

const numberText = ({ low, high, factor, unit }: Value): string =>
  `${grouped(low / factor)}${low === high ? '' : ` to ${grouped(high / factor)}`} ${unit}`;

/** A figure from elsewhere than a plan; undefined where the text is none. */
export function figureOf(text: string, expects: string): Figure | undefined {
  const read = readOne(text, expects, new Map());
  return 'message' in read ? undefined : { written: text, expects, divides: false, ...read };
}

function readOne(text: number | string, expects: string, claims: Claims): Value | Refused {
  if (typeof text === 'string' && /^[A-Z]{2,5}-/.test(text)) return readClaim(text, expects, claims);
  if (typeof text === 'number') return plain(text, text, expects);
  const [, about, digits, spelled = ''] = /^(~? ?)(\d+(?:\.\d+)?) ?(.*)$/.exec(text) ?? [];
  if (digits === undefined) return { message: `got ${shown(text)}, expected a figure`, hint: null };
  const number = Number(digits);
  const read =
    spelled === '' ? plain(number, text, expects) : inUnit([number, number], spelled, text, expects);
  return 'message' in read ? read : { ...read, approximate: about !== '' };
}

/** A number without a unit. */
function plain(number: number, text: number | string, expects: string): Value | Refused {
  const unit = unitOfNumber(expects);
  if (unit === null)
    return { message: `got ${shown(text)}, expected ${expectedText(expects)}`, hint: 'add its unit' };
  const { base, factor } = unit === undefined || unit === '' ? { base: '', factor: 1 } : planUnit(unit);
  return {
    ...{ low: number * factor, high: number * factor, base, unit: unit ?? '', factor },
    ...{ approximate: false, claims: [] },
  };
}

function claimOf(id: string, claims: Claims): Claim | Refused {
  const claim = claims.get(id);
  if (claim !== undefined) return claim;
  const meant = nearest(id, [...claims.keys()]);
  return {
    message: `got ${shown(id)}, expected the id of a claim in fixtures/claims.json`,
    hint: meant === undefined ? null : `did you mean ${meant}?`,
  };
}

function readWords(said: string, claims: Claims): Value | Refused {
  const words = { low: 0, high: 0, base: 'words', factor: 1, approximate: false };
  if (!/^[A-Z]{2,5}-\d{1,4}$/.test(said)) return { ...words, unit: said, claims: [] };
  const claim = claimOf(said, claims);
  if ('message' in claim) return claim;
  return typeof claim.value === 'string'
    ? { ...words, unit: claim.value, claims: [said] }
    : {
        message: `got ${said}, which is a number, expected text or a claim that is text`,
        hint: 'numbers are held against each other under plan.same',
      };
}

function readClaim(id: string, expects: string, claims: Claims): Value | Refused {
  const claim = claimOf(id, claims);
  if ('message' in claim) return claim;
  const { value, unit, operator } = claim;
  if (typeof value === 'string')
    return {
      message: `got ${id}, which is the text ${shown(value)}, expected a claim with a number`,
      hint: 'texts are held against each other under plan.words',
    };
  const range = typeof value === 'number' ? ([value, value] as const) : value;
  const read = inUnit(range, unit, id, expects);
  return 'message' in read ? read : { ...read, approximate: operator === '~', claims: [id] };
}

function inUnit(
  [low, high]: readonly [number, number],
  spelled: string,
  text: string | number,
  expects: string,
): Value | Refused {
  const { base, factor } = planUnit(spelled);
  if (!fits(base, expects))
    return {
      message: `got ${shown(text)} in ${unitText({ unit: spelled, base })}, expected ${expectedText(expects)}`,
      hint: meantUnit(spelled),
    };
  return {
    ...{ low: low * factor, high: high * factor, base, unit: spelled, factor },
    ...{ approximate: false, claims: [] },
  };
}

const expectedText = (expects: string): string =>
  Object.hasOwn(EXPECTED, expects) ? Reflect.get(EXPECTED, expects) : expects;

/** The figures of a plan, each with the path of its key: `plan.pools.0.limit`. */
export function figuresIn(
  value: unknown,
  path = 'plan',
): readonly (readonly [path: string, figure: Figure])[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isGiven(value)) return [[path, value as Figure]];
  return Object.entries(value).flatMap(([key, inner]) => figuresIn(inner, `${path}.${key}`));
}
