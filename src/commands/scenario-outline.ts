import type { Need } from '../judge/need.ts';
import { type Budget, isRequired } from '../scenario/budget.ts';
import { allowedRejections } from '../scenario/rejections.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Churn, Stage } from '../scenario/stages.ts';
import { OPERATIONS, type Operation } from '../scenario/workload.ts';
import type { Players } from '../systems/own/players.ts';
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

/** `up to 20% of intent may be rejected (the game's own refusals)` */
function rejectedText(op: Operation, scenario: Scenario): string {
  const { percent, declared } = allowedRejections(op, scenario);
  return `up to ${number(percent)}% of ${op} may be rejected${declared ? " (the game's own refusals)" : ''}`;
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

/** How players of one's own talk. */
function speech(players: Players): string {
  switch (players.protocol) {
    case 'json':
      return `JSON over WebSocket at ${players.path}, ${players.commands.length} commands; id at ${players.idAt}, error at ${players.errorAt}`;
    case 'http':
      return `HTTP, ${players.requests.length} requests: ${players.requests.map(({ method, path }) => `${method} ${path}`).join(', ')}`;
    case 'module':
      return `as ${players.module} does: code, which \`capbench run\` loads with --allow-module alone`;
  }
}

/** One line of several columns, the last as long as it is. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}

/** What a run of these options needs for each budget, in their order (judge/need.ts). */
export type Needs = readonly Need[];

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
            `${b.metric}${b.stat === null ? '' : ` ${b.stat}`}${b.stage === undefined ? '' : ` of ${b.stage}`}`,
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

/** What would run, for a reader. */
export function outline({ scenario, path }: LoadedScenario, needs: Needs): string {
  const { load, world, postgres, ceilings, rules } = scenario;
  const counts = countsOf(scenario);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines];
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
        [
          'intents',
          `${number(load.intentsPerSecond)}/s, at most ${load.outstanding} unanswered for each player`,
        ],
        ...(scenario.players === undefined ? [] : [['they speak', speech(scenario.players)]]),
        ['monsters', number(load.monsters)],
        ['monster commands', `${number(load.monsterCommandsPerSecond)}/s, ${load.commandsPerPost} to a post`],
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
      table([
        ['servers', `${world.servers}, ${world.heapMegabytes} MB of heap each`],
        ['places', `${number(world.playersPerPlace)} players each`],
        [
          'batches',
          `at ${number(world.batchOperations)} operations or ${formatDuration(world.batchInterval)}`,
        ],
        ['rows', world.rowShape],
      ]),
    ),
    ...section(
      `POSTGRESQL ${postgres.version}`,
      table(Object.entries(postgres.settings).map(([name, value]) => [name, value === '' ? "''" : value])),
    ),
    ...section(
      'OTHERWISE THAN DOCUMENTED',
      scenario.deviations.map(
        (d) => `  ${d.setting}: ${d.documented} -> ${d.applied}\n    ${d.reason.trim()}`,
      ),
    ),
    ...section('CEILINGS AND RULES', [
      ceilings.secondsEach === 0
        ? '  ceilings are left out'
        : `  ceilings of ${number(ceilings.secondsEach)} s each over ${number(ceilings.rows)} rows`,
      `  ${rules.sentPercent}% sent; a generator blocked for ${rules.generatorLoopDelayMs} ms or ${rules.generatorUtilisationPercent}% busy is not healthy`,
      `  ${OPERATIONS.map((op) => rejectedText(op, scenario)).join('; ')}`,
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
    scenario,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
