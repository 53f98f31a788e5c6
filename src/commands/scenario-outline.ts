import { gateOf } from '../compare/gate.ts';
import type { NeededProgram } from '../doctor/needed-program.ts';
import { jsonText } from '../json-document.ts';
import type { Need } from '../judge/need.ts';
import { wrap } from '../report/terminal-text.ts';
import { type Budget, isRequired, writtenBudget } from '../scenario/budget.ts';
import {
  cpusText,
  idleLimits,
  limitKeyOf,
  limitsOf,
  limitsText,
  WHOLE_STACK,
} from '../scenario/component-limits.ts';
import type { EdgeSettings } from '../scenario/edge.ts';
import { balanceOf } from '../scenario/edge-balance.ts';
import { type OperationSpec, ofOperation } from '../scenario/operations.ts';
import { writtenPlan } from '../scenario/plan.ts';
import { allowedRejections } from '../scenario/rejections.ts';
import { scenarioHash } from '../scenario/resolved.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Churn, Stage } from '../scenario/stages.ts';
import { type MemoryNeed, memoryShortage, memoryText } from '../stack/memory-need.ts';
import { formatDuration, grouped } from '../units.ts';
import { auditOf, planCounts, planJson, planLines } from './plan-outline.ts';
import type { LoadedScenario } from './scenario-files.ts';
import { table } from './table.ts';

/** `stage spike   10s at 3x, over 2s; all cut off` */
const stageRows = ({ stages = [], churn }: Scenario['load']): readonly (readonly string[])[] => [
  ...stages.map((stage) => [`stage ${stage.name}`, stageText(stage)]),
  ...(churn === undefined ? [] : [['churn', churnText(churn)]]),
];

const churnText = ({ perSecond, away }: Churn): string =>
  `${grouped(perSecond)} players/s leave and join again after ${formatDuration(away)}`;

/** `at most 20% of intents rejected (declared by the system)`, once for all operations with the same limit. */
function rejectedTexts(scenario: Scenario): readonly string[] {
  const limits = scenario.operations.map(({ id, label }) => ({ label, ...allowedRejections(id, scenario) }));
  return limits.flatMap(({ percent, by }, i) => {
    const same = limits.filter((one) => one.percent === percent && one.by === by);
    if (same[0] !== limits[i]) return [];
    const labels = same.map(({ label }) => label).join(', ');
    return `at most ${grouped(percent)}% of ${labels} rejected${by === null ? '' : ` (declared by the ${by})`}`;
  });
}

/** `200/s, at most 4 unanswered per player` */
function rateText({ id, actor, due }: OperationSpec, { load, traits }: Scenario): string {
  if (due === 'answer')
    return `no schedule: after answers, when ${traits.playerCode === null ? 'a player' : 'the player module'} begins it`;
  const rate = `${grouped(ofOperation(load.operations, id).perSecond)}/s`;
  return actor === 'player' ? `${rate}, at most ${load.outstanding} unanswered per player` : rate;
}

const stageText = ({ lasting, rate, players, over, churn, reconnect, sentPercent }: Stage): string =>
  [
    `${formatDuration(lasting)} at ${grouped(rate)}x${over === 0 ? '' : `, over ${formatDuration(over)}`}${players === undefined ? '' : `, ${grouped(players)} players`}`,
    ...(reconnect === undefined
      ? []
      : [`${grouped(reconnect.sharePercent)}% of the players are cut off and reconnect`]),
    ...(churn === undefined ? [] : [churnText(churn)]),
    ...(sentPercent === undefined ? [] : [`sustained at ${grouped(sentPercent)}% sent`]),
  ].join('; ');

/** `nginx 1.22.1 (/usr/sbin/nginx)` */
function programText(name: NeededProgram['name'], programs: readonly NeededProgram[]): string {
  const program = programs.find((one) => one.name === name);
  if (program === undefined) return name;
  return program.path === null
    ? `${name}, which is not here: ${program.bring}`
    : `${name}${program.version === null ? '' : ` ${program.version}`} (${program.path})`;
}

/** The Redis of the stack, if it has one. */
function redisLines(
  { loaded, components, programs, givenRedis }: Inspected,
  width: number,
): readonly string[] {
  if (!components.includes('redis')) return [];
  const { version, settings = {} } = loaded.scenario.redis ?? {};
  const rows =
    givenRedis === null
      ? [
          ['program', programText('Redis', programs)],
          ...Object.entries(settings).map(([name, value]) => [name, value === '' ? "''" : value]),
        ]
      : [['given', `${givenRedis} (--redis), with settings of its own`]];
  return section(`REDIS${version === undefined ? '' : ` ${version}`}`, table(rows, '  ', width));
}

/** What a run of this stack would miss on this machine. */
function missingLines({ programs }: Inspected, width: number): readonly string[] {
  const missing = programs.filter(({ path }) => path === null);
  return section('NOT ON THIS MACHINE', [
    ...missing.flatMap(({ name, bring }) => indented(`${name}: ${bring}`, 2, width)),
    ...(missing.length === 0 ? [] : indented('a run here is refused (93)', 2, width)),
  ]);
}

/** The proxy in front of the servers, if any. */
const edgeRows = ({ edge }: Scenario, { programs }: Inspected): readonly (readonly string[])[] =>
  edge === undefined
    ? []
    : [
        ['program', programText(edge.program, programs)],
        ['balance', balanceOf(edge)],
        ['left out', leftOutText(edge)],
        ['read timeout', formatDuration(edge.readTimeout)],
        ...(edge.connections === undefined ? [] : [['connections', grouped(edge.connections)]]),
        ...(edge.perAddress === undefined ? [] : [['each address', addressText(edge.perAddress)]]),
        ...(edge.tls === undefined
          ? []
          : [['TLS', `a certificate of the run's own, RSA of ${edge.tls.keyBits} bits`]]),
      ];

/** When a server is left out, and used again. */
const leftOutText = ({ checks, maxFails, failTimeout }: EdgeSettings): string =>
  checks === undefined
    ? `for ${formatDuration(failTimeout)} after ${maxFails} failures`
    : `after ${checks.fall} bad answers, until ${checks.rise} good ones, asked every ${formatDuration(checks.every)}`;

const addressText = ({ open, opened, within }: NonNullable<EdgeSettings['perAddress']>): string =>
  `${grouped(open)} connections at once, ${grouped(opened)} new ones in ${formatDuration(within)}`;

const LIMITED: Readonly<Record<string, string>> = {
  ...{ world: 'each server', postgres: 'PostgreSQL', redis: 'Redis', edge: 'proxy' },
  [WHOLE_STACK]: 'all together',
};

/** The limits of what capbench would start, and those that would limit nothing. */
function limitRows(scenario: Scenario, { started, cpus }: Inspected): readonly (readonly string[])[] {
  const texts = new Map<string, string>();
  for (const name of started.length === 0 ? [] : [WHOLE_STACK, ...started]) {
    const [key, limits] = [limitKeyOf(name), limitsOf(scenario, name)];
    if (limits === null) continue;
    const refused =
      (limits.cpus ?? 0) > cpus ? `; a run here is refused (104): it has ${cpusText(cpus)}` : '';
    texts.set(LIMITED[key] ?? key, `${limitsText(limits)}${refused}`);
  }
  const idle = idleLimits(scenario, started);
  return [...texts, ...(idle.length === 0 ? [] : [[idle.join(', '), NO_EFFECT]])];
}

const NO_EFFECT = 'no effect: capbench does not start what they limit';

/** How many budgets a run can judge, and how many it cannot. */
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
  if (typeof limit === 'object') return `${limit.map((one) => grouped(one)).join(' to ')} ${unit}`;
  return typeof limit === 'number'
    ? `${op} ${grouped(limit)} ${unit}`
    : `${op} ${limit === '' ? "''" : limit}`;
}

function sourceOf({ source }: Budget): string {
  return source === null ? 'your own' : `${source.document}:${source.line} ${source.heading}`;
}

/** What a run with these options needs for each budget, in their order (judge/need.ts). */
type Needs = readonly Need[];

/** `measured`, or the options that it needs. */
const needText = ({ state, options }: Need): string =>
  state === 'unmeasured' ? (options.length > 0 ? `needs ${options.join(' and ')}` : 'no figure') : state;

function budgetLines(budgets: readonly Budget[], needs: Needs, width: number): readonly string[] {
  const measured = budgets.flatMap((b, i) =>
    b.state === 'measured'
      ? [
          [
            ...[b.id, limitOf(b)],
            `${b.metric.path}${b.stat === null ? '' : ` ${b.stat}`}${b.stage === undefined ? '' : ` of ${b.stage}`}`,
            needText(needs[i]!),
            `${b.title}; ${sourceOf(b)}${b.optional === true ? '; optional' : ''}`,
          ],
        ]
      : [],
  );
  const why = new Map<string, string[]>();
  for (const [i, { state, reason }] of needs.entries()) {
    const id = budgets[i]?.id;
    if (reason === null || id === undefined) continue;
    const text = `${state}: ${reason}`;
    why.set(text, [...(why.get(text) ?? []), id]);
  }
  return [
    ...table(measured, '  ', width),
    ...[...why].flatMap(([reason, ids]) => [
      ...indented(ids.join(' '), 2, width),
      ...indented(reason, 4, width),
    ]),
  ];
}

/** Required budgets that would have no figure and make the run invalid. A scenario that needs a target is refused without one. */
const dead = (budgets: readonly Budget[], needs: Needs): readonly string[] =>
  budgets.flatMap((budget, i) => {
    const { cause, options = [] } = needs[i] ?? {};
    const wantsTarget = options.length === 1 && options[0] === '--target';
    return isRequired(budget) && cause === 'run' && !wantsTarget ? [budget.id] : [];
  });

function deadLines(ids: readonly string[], width: number): readonly string[] {
  if (ids.length === 0) return [];
  return [
    '',
    ...wrap(`these budgets would have no figure, so the run would be invalid (90): ${ids.join(', ')}`, width),
    ...indented('give the run what they need, or write "optional: true" in a budget', 2, width),
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

const indented = (text: string, by: number, width: number): string[] =>
  wrap(text, width - by).map((line) => ' '.repeat(by) + line);

const databaseLines = ({ version, settings }: Scenario['postgres'], width: number): readonly string[] =>
  section(
    `POSTGRESQL ${version}`,
    table(
      Object.entries(settings).map(([name, value]) => [name, value === '' ? "''" : value]),
      '  ',
      width,
    ),
  );

const ceilingsText = ({ secondsEach, rows }: Scenario['ceilings']): string =>
  secondsEach === 0
    ? '  database ceilings are not measured'
    : `  database ceilings: ${grouped(secondsEach)} s each over ${grouped(rows)} rows`;

/** A scenario, and what a run with the given options would need. */
export interface Inspected {
  readonly loaded: LoadedScenario;
  readonly needs: Needs;
  /** Of the watched metrics. */
  readonly watch: Need;
  /** The parts of the stack that capbench would start; none where it starts nothing. */
  readonly components: readonly string[];
  /** What capbench would start: these without a Redis that is given, or the server of a start command. */
  readonly started: readonly string[];
  /** Of this host. */
  readonly cpus: number;
  /** What they need on this machine. */
  readonly programs: readonly NeededProgram[];
  /** Where the Redis of --redis is; null without it. */
  readonly givenRedis: string | null;
  /** Of the stack that capbench would start; null: not known. */
  readonly memory: { readonly need: MemoryNeed; readonly availableBytes: number } | null;
}

function memoryLines({ memory }: Inspected, width: number): readonly string[] {
  if (memory === null) return [];
  const { need, availableBytes } = memory;
  const shortage = memoryShortage(need, availableBytes);
  return [
    ...indented(memoryText(need, availableBytes), 2, width),
    ...(shortage === null ? [] : indented(`a run here is refused (93): ${shortage.hint}`, 4, width)),
  ];
}

/** What would run, as text. */
export function outline(inspected: Inspected, width: number): string {
  const {
    loaded: { scenario, system, path },
    needs,
    watch,
  } = inspected;
  const { load, world, operations, rules } = scenario;
  const own = system.scenario.outline?.(scenario) ?? {};
  const rows = (of: readonly (readonly string[])[]): readonly string[] => table(of, '  ', width);
  const starts = !scenario.traits.needsTarget && own.stack === undefined;
  const counts = countsOf(scenario);
  const audited = auditOf(scenario);
  const lines = [
    `${scenario.name}  ${path}`,
    ...scenario.description
      .trim()
      .split('\n')
      .filter(Boolean)
      .flatMap((line) => indented(line, 2, width)),
    ...section(
      'LOAD',
      rows([
        ['players', `${grouped(load.players)}, connecting at ${grouped(load.connectsPerSecond)}/s`],
        ...operations.map((operation) => [operation.label, rateText(operation, scenario)]),
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
        ['scale, seed', `${grouped(scenario.scale)}, ${scenario.seed}`],
        ...(scenario.altered.length === 0 ? [] : [['altered', scenario.altered.join(', ')]]),
      ]),
    ),
    ...section(
      'WORLD',
      own.stack !== undefined
        ? rows(own.stack)
        : starts
          ? rows([['servers', `${world.servers}, ${world.heap} MB of heap each`], ...(own.world ?? [])])
          : ['  capbench starts nothing: the load goes to your servers, named with --target'],
    ),
    ...section('MEMORY', memoryLines(inspected, width)),
    ...section('LIMITS', rows(limitRows(scenario, inspected))),
    ...section('EDGE', starts ? rows(edgeRows(scenario, inspected)) : []),
    ...redisLines(inspected, width),
    ...(starts ? databaseLines(scenario.postgres, width) : []),
    ...missingLines(inspected, width),
    ...section(
      'DEVIATIONS FROM THE DOCUMENT',
      scenario.deviations.flatMap((d) => [
        ...indented(`${d.setting}: ${d.documented} -> ${d.applied}`, 2, width),
        ...indented(d.reason.trim(), 4, width),
      ]),
    ),
    ...section(starts ? 'CEILINGS AND RULES' : 'RULES', [
      ...(starts ? [ceilingsText(scenario.ceilings)] : []),
      `  at least ${rules.sentPercent}% of what is due is sent`,
      `  generator blocked for at most ${rules.generatorLoopDelayMs.toLocaleString('en-US')} ms, at most ${rules.generatorUtilisationPercent}% busy`,
      ...rejectedTexts(scenario).flatMap((text) => indented(text, 2, width)),
    ]),
    ...section('GATE', gateLines(scenario, width)),
    ...section('PLAN', planLines(audited, width)),
    ...section('BUDGETS', budgetLines(scenario.budgets, needs, width)),
    ...section(
      'WATCHED',
      rows((scenario.watch ?? []).map((text) => [text, watch.reason ?? needText(watch)])),
    ),
    '',
    `${counts.measurable} measurable, ${counts.untestable} untestable, ${counts.contradicted} contradicted`,
    ...planCounts(audited),
    ...deadLines(dead(scenario.budgets, needs), width),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same as JSON. */
export function outlineJson({
  loaded: { scenario, path },
  needs,
  watch,
  memory,
  programs,
}: Inspected): string {
  const { operations: _, traits: __, sections, plan, ...file } = scenario;
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
    programs: programs.map((one) => ({ program: one.name, here: one.path !== null, bring: one.bring })),
    ...(memory === null ? {} : { memory: { ...memory.need, availableBytes: memory.availableBytes } }),
    ...(scenario.watch === undefined
      ? {}
      : { watch: scenario.watch.map((metric) => ({ metric, ...watch })) }),
    ...planJson(auditOf(scenario)),
    scenario: {
      ...file,
      ...sections,
      ...(plan === undefined ? {} : { plan: writtenPlan(plan) }),
      budgets: budgets.map(writtenBudget),
    },
  };
  return jsonText(content);
}

/** What decides about a version; none where the scenario leaves it to the defaults. */
function gateLines({ gate }: Pick<Scenario, 'gate'>, width: number): readonly string[] {
  if (gate === undefined) return [];
  const { thresholdPercent, confidencePercent, metrics } = gateOf(gate);
  const text = `a version is worse beyond ${thresholdPercent}%, with ${confidencePercent}% confidence, by ${metrics.join(', ')}`;
  return indented(text, 2, width);
}
