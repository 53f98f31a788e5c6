import { createHash } from 'node:crypto';
import { z } from 'zod';
import { badInput } from '../errors.ts';
import { issueOf } from '../json-document.ts';
import { gateSchema } from '../scenario/gate.ts';
import { isValid, type Trial } from './trial.ts';

const text = z.string();
const entrySchema = z.object({
  schemaVersion: z.literal(1),
  kind: z.literal('run'),
  id: text,
  startedAt: z.iso.datetime(),
  commit: text.nullable(),
  scenario: text,
  system: text,
  outcome: z.enum(['pass', 'fail', 'invalid']),
  trials: z.object({ counted: z.int(), of: z.int() }),
  identity: z.record(text, text),
  versions: z.record(text, text),
  metrics: z.record(text, z.number()),
  gate: gateSchema.nullable(),
});

/** A line of a history: a run, or the trials of one command. */
export interface HistoryEntry {
  readonly schemaVersion: 1;
  readonly kind: 'run';
  /** The same for the same trials, whoever added them. */
  readonly id: string;
  /** Of the first trial. ISO 8601, UTC. */
  readonly startedAt: string;
  readonly commit: string | null;
  readonly scenario: string;
  readonly system: string;
  /** `invalid`: none of its trials has a conclusion, and it has no part in a series. */
  readonly outcome: Trial['outcome'];
  /** Trials with a conclusion, of which the metrics are the means; and all. */
  readonly trials: { readonly counted: number; readonly of: number };
  readonly identity: Trial['identity'];
  readonly versions: Trial['versions'];
  readonly metrics: Trial['metrics'];
  readonly gate: Trial['gate'];
}

/**
 * The line of a run, or of its trials.
 * @param trials of one command, at least one
 * @throws CapbenchError (104) where they cannot be compared with each other
 */
export function entryOf(trials: readonly [Trial, ...Trial[]]): HistoryEntry {
  const valid = trials.filter(isValid);
  const [first] = trials;
  const [{ identity, versions, gate } = first] = valid;
  for (const trial of valid) {
    const names = new Set([...Object.keys(identity), ...Object.keys(trial.identity)]);
    const other = [...names].find((name) => identity[name] !== trial.identity[name]);
    if (other === undefined) continue;
    throw badInput(
      `${trial.name} has another ${other} than the trials beside it: ${trial.identity[other] ?? 'not recorded'}, expected ${identity[other] ?? 'none'}`,
      'a line of a history is one run, or the trials of one command: add them one by one',
    );
  }
  const outcome =
    valid.length === 0 ? 'invalid' : valid.some((one) => one.outcome === 'fail') ? 'fail' : 'pass';
  return {
    ...{ schemaVersion: 1, kind: 'run', id: idOf(trials) },
    ...{ startedAt: first.startedAt, commit: first.commit, scenario: first.scenario, system: first.system },
    ...{ outcome, trials: { counted: valid.length, of: trials.length } },
    ...{ identity, versions, metrics: meansOf(valid), gate },
  };
}

/** Arithmetic; of what each of the trials has. */
function meansOf(trials: readonly Trial[]): Readonly<Record<string, number>> {
  const [first, ...others] = trials;
  if (first === undefined) return {};
  const shared = Object.keys(first.metrics).filter((name) => others.every(({ metrics }) => name in metrics));
  const mean = (name: string): number =>
    trials.reduce((sum, { metrics }) => sum + (metrics[name] ?? 0), 0) / trials.length;
  return Object.fromEntries(shared.map((name) => [name, mean(name)]));
}

/** By what no later judgement of a run changes. */
const idOf = (trials: readonly Trial[]): string =>
  createHash('sha256')
    .update(JSON.stringify(trials.map(({ scenario, startedAt, seed }) => [scenario, startedAt, seed])))
    .digest('hex')
    .slice(0, 16);

/** One line of JSON Lines, without its end. */
export const lineOf = (entry: HistoryEntry): string => JSON.stringify(entry);

/** A file of a history, as it was read. */
export interface HistoryFile {
  readonly name: string;
  readonly text: string;
}

/** The lines of a history. */
export interface History {
  /** By the time of their start, then by commit; each once. */
  readonly entries: readonly HistoryEntry[];
  /** A sentence for each line that was left out. */
  readonly problems: readonly string[];
}

/** What git writes around two branches' lines where it was not told to keep both. */
const CONFLICT = /^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/;

/**
 * The union of several files of lines: of branches that were merged, or of jobs that each added their own. A line that was
 * cut, by a kill or a full disk, is left out and named.
 * @throws CapbenchError (104) where a file has no readable line, or lines of a later capbench
 */
export function readHistory(files: readonly HistoryFile[]): History {
  const entries = new Map<string, HistoryEntry>();
  const problems: string[] = [];
  for (const { name, text } of files) {
    const lines = text.split('\n');
    const read = lines.map((line, i) => {
      if (line.trim() === '') return null;
      return lineIn(line, `${name}, line ${i + 1}`, i === lines.length - 1);
    });
    const found = read.filter((one) => one !== null);
    for (const one of found) {
      if (typeof one === 'string') problems.push(one);
      else if (!entries.has(one.id)) entries.set(one.id, one);
    }
    if (found.length > 0 && found.every((one) => typeof one === 'string'))
      throw badInput(
        `${name} is no history: ${found[0]}`,
        'name the folder that `capbench history add` writes to',
      );
  }
  const order = ({ startedAt, commit, id }: HistoryEntry): string => `${startedAt} ${commit ?? ''} ${id}`;
  const sorted = [...entries.values()].toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
  return { entries: sorted, problems };
}

/** The entry in a line, or why it is left out. */
function lineIn(line: string, where: string, isTail: boolean): HistoryEntry | string {
  if (CONFLICT.test(line)) return `${where} is a mark of a merge: the lines of both branches were read`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return isTail
      ? `${where} was cut after ${Buffer.byteLength(line)} bytes, and is left out: the lines before it were read`
      : `${where} is no JSON, as of a line that was cut, and is left out`;
  }
  const { schemaVersion } = (value ?? {}) as { readonly schemaVersion?: unknown };
  if (typeof schemaVersion === 'number' && schemaVersion > 1)
    throw badInput(`${where} is of a later capbench (schemaVersion ${schemaVersion})`, 'update capbench');
  const entry = entrySchema.safeParse(value);
  return entry.success ? entry.data : `${where} is left out: ${issueOf(entry.error)}`;
}
