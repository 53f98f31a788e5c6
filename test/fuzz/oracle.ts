import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Ended, fileOf } from './input.ts';

/**
 * What must be true of a bundle that passes, told from the files alone and in other words than the judge's: a
 * damaged bundle that ends with 0 although one of these does not hold has passed silently.
 */

/** What stands at a path of plain data. */
function at(value: unknown, path: string): unknown {
  let here = value;
  for (const key of path.split('.')) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = Reflect.get(here, key);
  }
  return here;
}

const number = (value: unknown, path: string): number => {
  const found = at(value, path);
  return typeof found === 'number' ? found : Number.NaN;
};

/** Bundles of earlier versions have no idle operations. */
const countAt = (facts: unknown, path: string, end: string): number =>
  end === 'idle' && at(facts, `${path}.idle`) === undefined ? 0 : number(facts, `${path}.${end}`);

const list = (value: unknown, path: string): readonly unknown[] => {
  const found = at(value, path);
  return Array.isArray(found) ? found : [];
};

const OUTCOMES = ['ok', 'rejected', 'failed', 'timedOut', 'skipped', 'unfinished'] as const;
const ENDS = [...OUTCOMES, 'idle'] as const;
const OPERATIONS = ['intent', 'monsterCommand'] as const;

/** [value, count] pairs. */
const pairs = (facts: unknown, path: string): readonly (readonly [number, number])[] =>
  list(facts, path).map((pair) => [number(pair, '0'), number(pair, '1')]);

const total = (all: readonly (readonly [number, number])[]): number => all.reduce((sum, [, n]) => sum + n, 0);

/** Microseconds under which so many percent of all lie, unanswered ones above everything; Infinity among those. */
function percentile(
  all: readonly (readonly [number, number])[],
  unanswered: number,
  percent: number,
): number {
  const sorted = [...all].sort(([a], [b]) => a - b);
  const rank = Math.ceil(((total(all) + unanswered) * percent) / 100 - 1e-6);
  let seen = 0;
  for (const [value, count] of sorted) {
    seen += count;
    if (seen >= rank) return value;
  }
  return Number.POSITIVE_INFINITY;
}

function countsAgree(facts: unknown): string[] {
  const wrong: string[] = [];
  for (const op of OPERATIONS) {
    const path = `operations.${op}`;
    for (const scope of ['whole', 'measured']) {
      const settled = ENDS.reduce((sum, outcome) => sum + countAt(facts, `${path}.${scope}`, outcome), 0);
      if (settled !== number(facts, `${path}.${scope}.scheduled`))
        wrong.push(`${op}: the ${scope} counts do not add up`);
    }
    for (const outcome of ['scheduled', ...ENDS]) {
      const [part, whole] = [
        countAt(facts, `${path}.measured`, outcome),
        countAt(facts, `${path}.whole`, outcome),
      ];
      if (!(part >= 0 && part <= whole && Number.isInteger(part) && Number.isInteger(whole))) {
        wrong.push(`${op}: ${part} of ${whole} ${outcome} in the measure phase`);
      }
    }
    const answered = number(facts, `${path}.measured.ok`) + number(facts, `${path}.measured.rejected`);
    if (number(facts, `${path}.measured.scheduled`) > 0 && !(answered > 0))
      wrong.push(`${op}: nothing was answered`);
    for (const kind of ['due', 'service', 'lag']) {
      const timed = pairs(facts, `${path}.${kind}.counts`);
      const there = kind === 'due' || timed.length > 0;
      if (there && total(timed) !== answered)
        wrong.push(`${op}: ${answered} answered, ${total(timed)} in ${kind}`);
      if (timed.some(([value], i) => i > 0 && value <= (timed[i - 1]?.[0] ?? 0)))
        wrong.push(`${op}: ${kind} is out of order`);
      const [min, max] = [number(facts, `${path}.${kind}.min`), number(facts, `${path}.${kind}.max`)];
      if (timed.length > 0 && !(min >= 0 && min <= max && min <= (timed[0]?.[0] ?? 0))) {
        wrong.push(`${op}: ${kind} from ${min} to ${max}`);
      }
    }
  }
  return wrong;
}

function ledgerHolds(facts: unknown): string[] {
  const of = (name: string): number => number(facts, `integrity.${name}`);
  const wrong: string[] = [];
  if (at(facts, 'integrity') === null && at(facts, 'stackKind') === 'local')
    return ['the rows were not read'];
  if (at(facts, 'integrity') === null) return [];
  for (const name of ['lost', 'phantom', 'duplicated', 'holes'])
    if (of(name) !== 0) wrong.push(`${of(name)} ${name}`);
  const answered = OPERATIONS.flatMap((op) =>
    ['ok', 'rejected'].map((one) => number(facts, `operations.${op}.whole.${one}`)),
  );
  const sum = answered.reduce((a, b) => a + b, 0);
  if (!(of('acked') >= sum && of('applied') >= of('acked') && of('sent') >= of('applied'))) {
    wrong.push(`${sum} answered, ${of('acked')} acked, ${of('applied')} applied, ${of('sent')} sent`);
  }
  const [servers, postgres] = [of('rowWritesServers'), of('rowWritesPostgres')];
  if (!(Math.abs(servers - postgres) <= 0.01 * postgres)) wrong.push(`${servers} or ${postgres} row writes`);
  return wrong;
}

function runWasWhole(facts: unknown): string[] {
  const wrong: string[] = [];
  if (at(facts, 'ending.state') !== 'completed') wrong.push(`ended as ${at(facts, 'ending.state')}`);
  const [from, to] = [number(facts, 'measured.from'), number(facts, 'measured.to')];
  if (!(from >= 0 && to > from)) wrong.push(`measured from ${from} to ${to}`);
  const moments = ['stackUp', 'connect', 'ready', 'go', 'end'].map((name) => number(facts, `phases.${name}`));
  if (moments.some((moment, i) => !(moment >= (moments[i - 1] ?? 0))))
    wrong.push(`phases at ${moments.join(', ')}`);
  if (!(to <= (moments[4] ?? 0) - (moments[3] ?? 0) + 1)) wrong.push(`measured until ${to}, after the end`);
  const probes = list(facts, 'probes');
  if (probes.length === 0) wrong.push('no probe');
  for (const probe of probes) {
    const [samples, gaps] = [number(probe, 'samples'), number(probe, 'gaps')];
    if (!(samples > 0 && gaps <= samples))
      wrong.push(`probe ${at(probe, 'name')}: ${samples} samples, ${gaps} gaps`);
  }
  for (const name of ['loopDelayMs', 'utilisation']) {
    const seen = Object.entries(at(facts, 'series') ?? {}).filter(
      ([key]) => /^generator\.\d+\./.test(key) && key.endsWith(name),
    );
    if (seen.length === 0) wrong.push(`nothing is known of the generator's ${name}`);
  }
  return wrong;
}

function loadWasThere(facts: unknown, scenario: unknown): string[] {
  const wrong: string[] = [];
  const [peak, players] = [number(facts, 'peakCcu'), number(scenario, 'load.players')];
  const connected = total(pairs(facts, 'connect.histogram.counts')) + (Number(at(facts, 'reconnects')) || 0);
  if (!(peak >= 0.99 * players)) wrong.push(`${peak} of ${players} players`);
  if (peak > connected) wrong.push(`${peak} players of ${connected} that were connected`);
  const least = at(scenario, 'rules.sentPercent') ?? 99;
  for (const op of OPERATIONS) {
    const of = (name: string): number => number(facts, `operations.${op}.measured.${name}`);
    // Bundles of before the two were told apart: nothing that failed was sent.
    const unsent = Number(at(facts, `operations.${op}.measured.failedUnsent`) ?? of('failed'));
    const sent = (100 * (of('scheduled') - of('skipped') - unsent)) / of('scheduled');
    if (of('scheduled') > 0 && !(sent >= Number(least))) wrong.push(`${sent}% of ${op} sent`);
    const failed = (100 * (of('failed') - unsent)) / of('scheduled');
    if (of('scheduled') > 0 && !(failed >= 0 && failed <= 100 - Number(least) + 1e-9))
      wrong.push(`${failed}% of ${op} sent and failed`);
  }
  return wrong;
}

type Ruling = Record<'id' | 'state' | 'op' | 'metric', string> & {
  limit: unknown;
  observed: unknown;
  stat: string | null;
};

function kept({ op, limit, observed }: Ruling): boolean {
  if (typeof observed === 'string') return typeof limit === 'string' && (op === 'is' || op === '=');
  if (typeof observed !== 'number' || !Number.isFinite(observed)) return false;
  if (Array.isArray(limit)) return observed >= Number(limit[0]) * 0 && observed <= Number(limit[1]);
  if (typeof limit !== 'number') return op === 'is' || op === '=';
  const near = Math.abs(observed - limit) / Math.max(Math.abs(limit), 1e-300);
  const answers: Readonly<Record<string, boolean>> = {
    '<': observed < limit,
    '<=': observed <= limit,
    '>': observed > limit,
    '>=': observed >= limit,
    '=': observed === limit || near < 1e-6,
    '~': near <= 0.11,
  };
  return answers[op] ?? false;
}

/** Figures that the files tell without the report: metric and statistic -> value; undefined for all others. */
function figure(facts: unknown, { metric, stat }: Ruling): number | undefined {
  const direct: Readonly<Record<string, string>> = {
    ...{ 'load.peakCcu': 'peakCcu', 'network.disconnects': 'disconnects' },
  };
  const own = /^integrity\.(lost|duplicated|phantom|holes)$/.test(metric) ? metric : undefined;
  const path = Object.hasOwn(direct, metric) ? direct[metric] : own;
  if (path !== undefined) return number(facts, path);
  const [, op, percent] = /^latency\.(\w+)\.due p(\d+)$/.exec(`${metric} ${stat}`) ?? [];
  if (op === undefined) return undefined;
  const unanswered = OUTCOMES.slice(2).reduce(
    (sum, name) => sum + number(facts, `operations.${op}.measured.${name}`),
    0,
  );
  return (
    percentile(
      pairs(facts, `operations.${op}.due.counts`),
      unanswered,
      percent === '999' ? 99.9 : Number(percent),
    ) / 1e3
  );
}

function budgetsWereMet(facts: unknown, scenario: unknown, report: unknown): string[] {
  const wrong: string[] = [];
  const rulings = list(report, 'rulings') as readonly Ruling[];
  const asked = list(scenario, 'budgets').map((budget) => at(budget, 'id'));
  if (JSON.stringify(rulings.map(({ id }) => id)) !== JSON.stringify(asked))
    wrong.push('other budgets than were asked');
  if (!rulings.some(({ state }) => state === 'met')) wrong.push('no budget was met');
  for (const ruling of rulings) {
    if (ruling.state === 'breached') wrong.push(`${ruling.id} is breached`);
    if (ruling.state !== 'met') continue;
    if (!kept(ruling))
      wrong.push(`${ruling.id} is met by ${ruling.observed} ${ruling.op} ${JSON.stringify(ruling.limit)}`);
    const own = figure(facts, ruling);
    // A bucket is known to one part in a thousand, and its end may be cut to the maximum.
    if (own !== undefined && !(Math.abs(Number(ruling.observed) - own) <= 0.002 * own)) {
      wrong.push(`${ruling.id} is met by ${ruling.observed}, the measurements say ${own}`);
    }
  }
  return wrong;
}

/** Why a bundle that was reported as passed had no right to; empty for every other ending. */
export async function whyNoPass({ input, code, folder, err }: Ended): Promise<readonly string[]> {
  if (code !== 0) return [];
  const texts = ['measurements.json', 'scenario.yaml'].map((name) => {
    const content = fileOf(input, `bundle/${name}`);
    return typeof content === 'string'
      ? content
      : content instanceof Uint8Array
        ? Buffer.from(content).toString()
        : '';
  });
  const [facts, scenario]: unknown[] = [
    JSON.parse((texts[0] ?? '').replace(/^\ufeff/, '')),
    parse(texts[1] ?? ''),
  ];
  const wrong = [
    ...repeatedKeys(texts[0] ?? ''),
    ...countsAgree(facts),
    ...ledgerHolds(facts),
    ...runWasWhole(facts),
    ...loadWasThere(facts, scenario),
    // Where something else lies in the way of the reports, the verdict is printed, and so is that: they may be older.
    ...(err.includes('cannot be written')
      ? []
      : reportDenies(join(folder, 'bundle', 'report.json'), facts, scenario, err)),
  ];
  return wrong.map((reason) => `passed although: ${reason}`);
}

/** What the report of a run that passed says otherwise. */
function reportDenies(path: string, facts: unknown, scenario: unknown, err: string): readonly string[] {
  if (!existsSync(path)) return ['there is no report'];
  const report: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const wrong = [...budgetsWereMet(facts, scenario, report)];
  if (at(report, 'outcome') !== 'pass' || at(report, 'exitCode') !== 0)
    wrong.push('the report says otherwise');
  if (
    at(report, 'scenarioHash') !== at(facts, 'scenarioHash') &&
    !err.includes('was changed after the run')
  ) {
    wrong.push('judged by another scenario than ran, without a word');
  }
  return wrong;
}

/** A key that stands twice in one object of a JSON text: which of the two is meant, nobody knows. */
function repeatedKeys(text: string): string[] {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const [word, colon] of text.matchAll(token)) {
    if (word === '{') open.push(new Set());
    else if (word === '[') open.push(null);
    else if (word === '}' || word === ']') open.pop();
    else if (colon !== undefined) {
      const key: string = JSON.parse(word.slice(0, -colon.length));
      const seen = open.at(-1);
      if (seen?.has(key)) return [`the key ${JSON.stringify(key)} stands there twice`];
      seen?.add(key);
    }
  }
  return [];
}
