import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { badInput } from '../errors.ts';
import { type Micros, parseDuration } from '../units.ts';
import { type Finding, findingAt, valueAt } from './finding.ts';
import { nearest } from './nearest.ts';
import { type Path, shown, startsWith } from './problem.ts';
import { MOST_PLAYERS } from './schema.ts';

/** Changes to a scenario from the command line or the environment. */
export interface Overrides {
  /** `path=value`, in the order given; a later one wins. */
  readonly set: readonly string[];
  readonly scale: number | null;
  readonly duration: Micros | null;
  readonly seed: number | null;
  /** How many targets there are: the number of servers, unless the scenario names one. Absent: none. */
  readonly targets?: number;
}

export const NO_OVERRIDES: Overrides = { set: [], scale: null, duration: null, seed: null };

/** `--scale 0.25`: above 0 and up to 100. `source` names the flag or variable in the error. */
export function parseScale(text: string, source = '--scale'): number {
  const scale = text.trim() === '' ? Number.NaN : Number(text);
  if (!(scale > 0 && scale <= 100)) {
    throw badInput(
      `${source}: got ${shown(text)}, expected a number above 0 and up to 100`,
      `${source} 0.25 runs a quarter of the players and rates`,
    );
  }
  return scale;
}

/** `--duration 30s`: the length of the measure phase, 1s to 24h. */
export function parseDurationFlag(text: string, source = '--duration'): Micros {
  const isAllowed = (span: Micros | undefined): span is Micros =>
    span !== undefined && span >= 1e6 && span <= 24 * 3600e6;
  const duration = parseDuration(text);
  if (!isAllowed(duration)) {
    const inSeconds = `${text.trim()}s`;
    throw badInput(
      `${source}: got ${shown(text)}, expected a duration of 1s to 24h`,
      isAllowed(parseDuration(inSeconds))
        ? `add its unit: ${inSeconds}`
        : 'such as 30s or 5m; it is the measure phase only',
    );
  }
  return duration;
}

/** `--seed 7`: a whole number of 32 bits. */
export function parseSeed(text: string, source = '--seed'): number {
  const seed = /^\d{1,10}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(seed < 2 ** 32))
    throw badInput(`${source}: got ${shown(text)}, expected a whole number of 0 to 4294967295`);
  return seed;
}

/** `--players 500`: a whole number, before `--scale`. */
export function parsePlayers(text: string): number {
  const players = /^\d{1,7}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(players >= 1 && players <= MOST_PLAYERS)) {
    throw badInput(
      `--players: got ${shown(text)}, expected a whole number of 1 to ${MOST_PLAYERS.toLocaleString('en-US')}`,
      'write it without separators: --players 1000',
    );
  }
  return players;
}

/** One parsed `--set`. */
interface Setting {
  /** As given, for the error. */
  readonly flag: string;
  readonly path: Path;
  readonly wanted: Wanted;
}

/** A parsed value and its text: where the scenario has text, a map in braces may be meant as text. */
interface Wanted {
  readonly value: unknown;
  readonly text: string;
  /** What a map becomes where the document has text. */
  readonly overText?: 'text' | 'map';
}

/** `{player}` is a map whose value is null. */
const isMapWithValues = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).some((one) => one !== null);

/** No scenario is nested deeper than this. */
const DEEPEST = 20;

/** Characters of a --set that an error shows. */
const LONGEST_SHOWN = 200;

function readSetting(text: string): Setting {
  const flag = `--set ${text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text}`;
  const at = text.indexOf('=');
  const path = (at < 0 ? text : text.slice(0, at)).trim();
  if (at < 1 || path === '' || path.split('.').some((key) => key === '' || key === '__proto__')) {
    throw badInput(`got ${shown(flag)}, expected --set path=value`, 'such as --set load.players=500');
  }
  const keys = path.split('.');
  if (keys.length > DEEPEST) {
    throw badInput(
      `got ${shown(flag)}, expected a path of ${DEEPEST} keys at most`,
      'such as --set load.players=500',
    );
  }
  // The name of a PostgreSQL setting may have a dot: pg_stat_statements.max.
  const named =
    keys[0] === 'postgres' && keys[1] === 'settings' ? [...keys.slice(0, 2), keys.slice(2).join('.')] : keys;
  return {
    flag,
    path: named.filter((key) => key !== ''),
    wanted: { value: readValue(text.slice(at + 1)), text: text.slice(at + 1) },
  };
}

/** Longer than any single value of a scenario. */
const LONGEST_VALUE = 4096;

/** Parses a YAML scalar, a list, or a map in braces; any other text (`a: b`) is taken as text. */
function readValue(text: string): unknown {
  if (text.length > LONGEST_VALUE) return text;
  try {
    const document = parseDocument(text, { schema: 'core', resolveKnownTags: false, logLevel: 'silent' });
    const { contents, errors, warnings } = document;
    if (errors.length > 0 || warnings.length > 0 || text.trim() === '') return text;
    const isValue = isScalar(contents) || isSeq(contents) || (isMap(contents) && contents.flow === true);
    return isValue ? document.toJS({ maxAliasCount: 0 }) : text;
  } catch {
    // Aliases or unclosed brackets: not a value of a scenario.
    return text;
  }
}

/**
 * Applies each setting in order, to a copy of the document.
 * @param mapsOverText what a map in braces becomes where the document has text; a name in braces (`{player}`) stays text
 */
export function applySettings(
  document: unknown,
  texts: readonly string[],
  mapsOverText: 'text' | 'map' = 'text',
) {
  const findings: (Finding & { flag: string })[] = [];
  const applied: { path: Path; flag: string }[] = [];
  const overText: Path[] = [];
  let value = document;
  for (const { flag, path, wanted } of texts.map(readSetting)) {
    const real: (string | number)[] = [];
    const hasValues = isMapWithValues(wanted.value);
    const outcome = setAt(value, path, { ...wanted, overText: hasValues ? mapsOverText : 'text' }, real);
    if (hasValues && typeof valueAt(value, real) === 'string') overText.push(real);
    if (outcome.state === 'set') {
      value = outcome.value;
      applied.push({ path: real, flag });
    } else {
      findings.push({ ...outcome.finding, flag });
    }
  }
  // A value belongs to the last --set that set it, or that created it on the way to its path.
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
    /** Where a map in braces was given for a text. */
    overText,
    flagAt: (path: Path) => applied[orderOf(path)]?.flag,
    orderOf,
  };
}

type Outcome = { state: 'set'; value: unknown } | { state: 'refused'; finding: Finding };

function setAt(around: unknown, path: Path, wanted: Wanted, real: (string | number)[]): Outcome {
  const [key, ...rest] = path;
  if (key === undefined) {
    const { value, text, overText } = wanted;
    const isMapOverText =
      overText === 'text' && typeof around === 'string' && typeof value === 'object' && !Array.isArray(value);
    return { state: 'set', value: isMapOverText && value !== null ? text : value };
  }
  if (Array.isArray(around)) {
    const index = indexOf(around, String(key));
    if (index === undefined) {
      const names = around.flatMap((element) => namesOf(element));
      const meant = nearest(String(key), names);
      const finding = findingAt(
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
    const finding = findingAt(
      [...real],
      `got ${shown(around)}, which has no keys`,
      'capbench check shows the keys of a scenario',
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

/** Names by which a list element can be addressed. */
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
