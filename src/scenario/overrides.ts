import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { badInput } from '../errors.ts';
import { type Micros, parseDuration } from '../units.ts';
import { type Finding, found, valueAt } from './finding.ts';
import { nearest } from './nearest.ts';
import { type Path, shown, startsWith } from './problem.ts';

/** What the command line (or the environment) changes of a scenario. */
export interface Overrides {
  /** `path=value`, in the order given; a later one wins. */
  readonly set: readonly string[];
  readonly scale: number | null;
  readonly duration: Micros | null;
  readonly seed: number | null;
}

export const NO_OVERRIDES: Overrides = { set: [], scale: null, duration: null, seed: null };

/** `--scale 0.25`: above 0 and up to 100. `source` names the flag or variable in the error. */
export function parseScale(text: string, source = '--scale'): number {
  const scale = text.trim() === '' ? Number.NaN : Number(text);
  if (!(scale > 0 && scale <= 100)) {
    throw badInput(
      `${source}: ${shown(text)} is there, expected a number above 0 and up to 100`,
      `${source} 0.25 runs a quarter of the players and rates`,
    );
  }
  return scale;
}

/** `--duration 30s`: the measure phase alone, of 1s to 24h. */
export function parseDurationFlag(text: string, source = '--duration'): Micros {
  const duration = parseDuration(text);
  if (duration === undefined || duration < 1e6 || duration > 24 * 3600e6) {
    throw badInput(
      `${source}: ${shown(text)} is there, expected a duration of 1s to 24h`,
      /^\d+$/.test(text.trim())
        ? `with its unit: ${text.trim()}s`
        : 'such as 30s or 5m; it is only the measure phase',
    );
  }
  return duration;
}

/** `--seed 7`: a whole number that 32 bits hold. */
export function parseSeed(text: string, source = '--seed'): number {
  const seed = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(seed < 2 ** 32))
    throw badInput(`${source}: ${shown(text)} is there, expected a whole number of 0 to 4294967295`);
  return seed;
}

/** One `--set`, read. */
interface Setting {
  /** As given, for the error. */
  readonly flag: string;
  readonly path: Path;
  readonly wanted: Wanted;
}

/** A value, and how it was written: for a text, `{player}` is one, too. */
interface Wanted {
  readonly value: unknown;
  readonly text: string;
}

/** Nothing in a scenario is deeper than this. */
const DEEPEST = 20;

/** Of a --set, as errors name it. */
const LONGEST_SHOWN = 200;

function readSetting(text: string): Setting {
  const flag = `--set ${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text}`;
  const at = text.indexOf('=');
  const path = (at < 0 ? text : text.slice(0, at)).trim();
  if (at < 1 || path === '' || path.split('.').some((key) => key === '' || key === '__proto__')) {
    throw badInput(`${shown(flag)} is there, expected --set path=value`, 'such as --set load.players=500');
  }
  const keys = path.split('.');
  if (keys.length > DEEPEST) {
    throw badInput(
      `${shown(flag)} is there, expected a path of ${DEEPEST} keys at most`,
      'such as --set load.players=500',
    );
  }
  // A setting's own name may have a dot in it: pg_stat_statements.max.
  const named =
    keys[0] === 'postgres' && keys[1] === 'settings' ? [...keys.slice(0, 2), keys.slice(2).join('.')] : keys;
  return {
    flag,
    path: named.filter((key) => key !== ''),
    wanted: { value: readValue(text.slice(at + 1)), text: text.slice(at + 1) },
  };
}

/** Longer than anything that one value of a scenario may be. */
const LONGEST_VALUE = 4096;

/** A YAML scalar, a list, or a map in braces; any other text (`a: b`) stands for itself. */
function readValue(text: string): unknown {
  if (text.length > LONGEST_VALUE) return text;
  try {
    const document = parseDocument(text, { schema: 'core', resolveKnownTags: false, logLevel: 'silent' });
    const { contents, errors, warnings } = document;
    if (errors.length > 0 || warnings.length > 0 || text.trim() === '') return text;
    const isValue = isScalar(contents) || isSeq(contents) || (isMap(contents) && contents.flow === true);
    return isValue ? document.toJS({ maxAliasCount: 0 }) : text;
  } catch {
    // Aliases, or brackets without end: no value that a scenario has anywhere.
    return text;
  }
}

/** Sets each path of the document, in order. The document itself is left as it was. */
export function applySettings(document: unknown, texts: readonly string[]) {
  const findings: (Finding & { flag: string })[] = [];
  const applied: { path: Path; flag: string }[] = [];
  let value = document;
  for (const { flag, path, wanted } of texts.map(readSetting)) {
    const real: (string | number)[] = [];
    const outcome = setAt(value, path, wanted, real);
    if (outcome.state === 'set') {
      value = outcome.value;
      applied.push({ path: real, flag });
    } else {
      findings.push({ ...outcome.finding, flag });
    }
  }
  // What a --set made is its own, and so is what it made on the way there.
  const orderOf = (path: Path): number =>
    applied.findLastIndex((set) =>
      set.path.length <= path.length
        ? startsWith(path, set.path)
        : startsWith(set.path, path) && valueAt(document, path) === undefined,
    );
  return {
    value,
    findings,
    paths: applied.map((set) => set.path),
    flagAt: (path: Path) => applied[orderOf(path)]?.flag,
    orderOf,
  };
}

type Outcome = { state: 'set'; value: unknown } | { state: 'refused'; finding: Finding };

function setAt(around: unknown, path: Path, wanted: Wanted, real: (string | number)[]): Outcome {
  const [key, ...rest] = path;
  if (key === undefined) {
    const { value, text } = wanted;
    const isMapOverText = typeof around === 'string' && typeof value === 'object' && !Array.isArray(value);
    return { state: 'set', value: isMapOverText && value !== null ? text : value };
  }
  if (Array.isArray(around)) {
    const index = indexOf(around, String(key));
    if (index === undefined) {
      const names = around.flatMap((element) => namesOf(element));
      const meant = nearest(String(key), names);
      const finding = found(
        [...real, key],
        `${shown(key)} is not in the list of ${around.length}, expected a position from 0 or an id`,
        meant === undefined ? null : `did you mean ${meant}?`,
      );
      return { state: 'refused', finding };
    }
    real.push(index);
    const inner = setAt(around[index], rest, wanted, real);
    return inner.state === 'set' ? { state: 'set', value: around.with(index, inner.value) } : inner;
  }
  if (around !== undefined && around !== null && typeof around !== 'object') {
    const finding = found(
      [...real],
      `${shown(around)} is there, nothing stands under it`,
      'see capbench check for what a scenario holds',
    );
    return { state: 'refused', finding };
  }
  real.push(key);
  const inner = setAt(
    around && Object.hasOwn(around, key) ? Reflect.get(around, key) : undefined,
    rest,
    wanted,
    real,
  );
  return inner.state === 'set' ? { state: 'set', value: { ...around, [key]: inner.value } } : inner;
}

/** What an element of a list may be called by: its `id`, its `claim`, a stage's `name`. */
function namesOf(element: unknown): readonly string[] {
  if (typeof element !== 'object' || element === null) return [];
  return ['id', 'claim', 'setting', 'name'].flatMap((key) => {
    const name: unknown = Object.hasOwn(element, key) ? Reflect.get(element, key) : undefined;
    return typeof name === 'string' ? [name] : [];
  });
}

function indexOf(list: readonly unknown[], key: string): number | undefined {
  const named = list.findIndex((element) => namesOf(element).includes(key));
  if (named >= 0) return named;
  return /^\d{1,6}$/.test(key) && Number(key) < list.length ? Number(key) : undefined;
}
