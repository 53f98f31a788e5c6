import type { Need } from '../judge/need.ts';
import { type Budget, isRequired, writtenBudget } from '../scenario/budget.ts';
import { type OperationSpec, ofOperation } from '../scenario/operations.ts';
import { allowedRejections } from '../scenario/rejections.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Churn, Stage } from '../scenario/stages.ts';
import { formatDuration } from '../units.ts';
import type { LoadedScenario } from './scenario-files.ts';

const number = (n: number): string => n.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** `stage spike   10s at 3x, over 2s; all cut off` */
const stageRows = ({ stages = [], churn }: Scenario['load']): readonly (readonly string[])[] => [
  ...stages.map((stage) => [`stage ${stage.name}`, stageText(stage)]),
  ...(churn === undefined ? [] : [['churn', churnText(churn)]]),
];

const churnText = ({ perSecond, away }: Churn): string =>
  `${number(perSecond)} players/s leave, and join again after ${formatDuration(away)}`;

/** `up to 20% of intents may be rejected (the game's own refusals)` */
function rejectedText({ id, label }: OperationSpec, scenario: Scenario): string {
  const { percent, declared } = allowedRejections(id, scenario);
  return `up to ${number(percent)}% of ${label} may be rejected${declared ? " (the game's own refusals)" : ''}`;
}

const stageText = ({ lasting, rate, over, churn, reconnect, sentPercent }: Stage): string =>
  [
    `${formatDuration(lasting)} at ${number(rate)}x${over === 0 ? '' : `, over ${formatDuration(over)}`}`,
    ...(reconnect === undefined
      ? []
      : [`${number(reconnect.sharePercent)}% of the players are cut off, and come back`]),
    ...(churn === undefined ? [] : [churnText(churn)]),
    ...(sentPercent === undefined ? [] : [`sustained at ${number(sentPercent)}% sent`]),
  ].join('; ');

/** How many budgets a run can rule, and how many it cannot. */
function countsOf({ budgets }: Scenario) {
  const count = (keep: (budget: Budget) => boolean) => budgets.filter(keep).length;
  const contradicted = count(({ state }) => state === 'contradicted');
  const disputed = count((budget) => budget.state === 'measured' && budget.contradicted !== null);
  return {
    measurable: count(({ state }) => state === 'measured') - disputed,
    contradicted: contradicted + disputed,
    untestable: count(({ state }) => state === 'untestable'),
  };
}

function limitOf({ op, limit, unit }: Budget): string {
  if (typeof limit === 'object') return `${limit.map(number).join(' to ')} ${unit}`;
  return typeof limit === 'number'
    ? `${op} ${number(limit)} ${unit}`
    : `${op} ${limit === '' ? "''" : limit}`;
}

function sourceOf({ source }: Budget): string {
  return source === null ? 'your own' : `${source.document}:${source.line} ${source.heading}`;
}

/** One line of several columns, the last as long as it is. */
export function table(rows: readonly (readonly string[])[], indent = '  '): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    `${indent}${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd(),
  );
}

/** What a run of these options needs for each budget, in their order (judge/need.ts). */
type Needs = readonly Need[];

/** `measured`, or what it takes. */
const needText = ({ state, options }: Need): string =>
  state === 'unmeasured' ? (options.length > 0 ? `needs ${options.join(' and ')}` : 'no figure') : state;

function budgetLines(budgets: readonly Budget[], needs: Needs): readonly string[] {
  const measured = budgets.flatMap((b, i) =>
    b.state === 'measured'
      ? [
          [
            b.id,
            limitOf(b),
            `${b.metric.path}${b.stat === null ? '' : ` ${b.stat}`}${b.stage === undefined ? '' : ` of ${b.stage}`}`,
            `${needText(needs[i]!)}${b.optional === true ? ', optional' : ''}`,
            b.title,
            sourceOf(b),
          ],
        ]
      : [],
  );
  const why = new Map<string, string[]>();
  for (const [i, { state, reason }] of needs.entries()) {
    const id = budgets[i]?.id;
    if (reason === null || id === undefined) continue;
    const told = `${state}: ${reason}`;
    why.set(told, [...(why.get(told) ?? []), id]);
  }
  return [...table(measured), ...[...why].map(([reason, ids]) => `  ${ids.join(' ')}\n    ${reason}`)];
}

/** Gates of the user's own that would have no figure, and make the run invalid; without a target it is refused already. */
const dead = (budgets: readonly Budget[], needs: Needs): readonly string[] =>
  budgets.flatMap((budget, i) => {
    const { cause, options = [] } = needs[i] ?? {};
    const wantsTarget = options.length === 1 && options[0] === '--target';
    return isRequired(budget) && cause === 'run' && !wantsTarget ? [budget.id] : [];
  });

function deadLines(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  return [
    '',
    `without a figure, and so an invalid run (90): ${ids.join(', ')}`,
    '  give the run what they need, or write "optional: true" where a budget may go without',
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

const databaseLines = ({ version, settings }: Scenario['postgres']): readonly string[] =>
  section(
    `POSTGRESQL ${version}`,
    table(Object.entries(settings).map(([name, value]) => [name, value === '' ? "''" : value])),
  );

const ceilingsText = ({ secondsEach, rows }: Scenario['ceilings']): string =>
  secondsEach === 0
    ? '  ceilings are left out'
    : `  ceilings of ${number(secondsEach)} s each over ${number(rows)} rows`;

/** What would run, for a reader. */
export function outline({ scenario, system, path }: LoadedScenario, needs: Needs): string {
  const { load, world, operations, rules } = scenario;
  const own = system.scenario.outline?.(scenario) ?? {};
  const starts = !scenario.traits.needsTarget;
  const counts = countsOf(scenario);
  const lines = [
    `${scenario.name}  ${path}`,
    ...scenario.description
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => `  ${line}`),
    ...section(
      'LOAD',
      table([
        ['players', `${number(load.players)}, connecting at ${number(load.connectsPerSecond)}/s`],
        ...operations.map(({ id, label, actor }) => [
          label,
          `${number(ofOperation(load.operations, id).perSecond)}/s${actor === 'player' ? `, at most ${load.outstanding} unanswered for each player` : ''}`,
        ]),
        ...(own.load ?? []),
        [
          'phases',
          `ramp ${formatDuration(load.ramp)}, warm-up ${formatDuration(load.warmUp)}, measure ${formatDuration(load.duration)}, drain ${formatDuration(load.drain)}`,
        ],
        ...stageRows(load),
        [
          'late',
          `skipped after ${formatDuration(load.skipAfter)}, timed out after ${formatDuration(load.timeout)}`,
        ],
        ['scale, seed', `${number(scenario.scale)}, ${scenario.seed}`],
        ...(scenario.altered.length === 0 ? [] : [['altered', scenario.altered.join(', ')]]),
      ]),
    ),
    ...section(
      'WORLD',
      starts
        ? table([['servers', `${world.servers}, ${world.heap} MB of heap each`], ...(own.world ?? [])])
        : ['  capbench starts nothing here: it drives your servers, which --target names'],
    ),
    ...(starts ? databaseLines(scenario.postgres) : []),
    ...section(
      'DEVIATIONS FROM THE DOCUMENT',
      scenario.deviations.map(
        (d) => `  ${d.setting}: ${d.documented} -> ${d.applied}\n    ${d.reason.trim()}`,
      ),
    ),
    ...section(starts ? 'CEILINGS AND RULES' : 'RULES', [
      ...(starts ? [ceilingsText(scenario.ceilings)] : []),
      `  ${rules.sentPercent}% sent; a generator blocked for ${rules.generatorLoopDelayMs} ms or ${rules.generatorUtilisationPercent}% busy is not healthy`,
      `  ${operations.map((one) => rejectedText(one, scenario)).join('; ')}`,
    ]),
    ...section('BUDGETS', budgetLines(scenario.budgets, needs)),
    '',
    `${counts.measurable} measurable, ${counts.untestable} untestable, ${counts.contradicted} contradicted`,
    ...deadLines(dead(scenario.budgets, needs)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same for a program. */
export function outlineJson({ scenario, path }: LoadedScenario, needs: Needs): string {
  const { operations: _, traits: __, sections, ...file } = scenario;
  const { budgets } = scenario;
  const content = {
    ok: true,
    path,
    scenarioHash: scenarioHash(scenario),
    budgets: countsOf(scenario),
    needs: budgets.map((budget, i) => ({
      id: budget.id,
      ...needs[i],
      optional: budget.state === 'measured' && budget.optional === true,
    })),
    invalid: dead(budgets, needs),
    scenario: { ...file, ...sections, budgets: budgets.map(writtenBudget) },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
