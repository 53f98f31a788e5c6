import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import { catalogue, type ListedMetric } from '../judge/metric-catalogue.ts';
import { areMany } from '../report/report-text.ts';
import { wrap } from '../report/terminal-text.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { knownSettings } from './known-settings.ts';
import type { ScenarioFlags } from './options.ts';
import { loadScenario } from './scenario-files.ts';
import { table } from './table.ts';

/** All metrics of all systems, or those of a scenario where one is named; bad input (104) where it cannot be read. */
export async function metricsOf(host: Host, reference: string | undefined, flags: ScenarioFlags) {
  const systems = await host.systems();
  if (reference === undefined) {
    const [given] = Object.entries(flags).filter(([, value]) => value !== undefined && value.length > 0);
    if (given !== undefined) {
      throw badInput(`metrics: --${given[0]} needs a scenario`, 'name the scenario that it changes');
    }
    const all = systems.names.flatMap((name) => {
      const system = systems.of({ system: name });
      return system === undefined ? [] : [...systems.metricsOf(system)];
    });
    return { scenario: null, metrics: catalogue(new Map(all), null, []) };
  }
  const { scenario, system } = await loadScenario(host, reference, flags);
  const metrics = systems.metricsOf(system.scenario);
  return { scenario, metrics: catalogue(metrics, scenario, await knownSettings(host, scenario)) };
}

const UNITS: Readonly<Record<string, string>> = { setting: 'its own', any: 'its own' };
const STAGES = { no: '', too: 'stage', only: 'stage only' } as const;

const KIND = '<operation>';

/** Many operations have the same metrics: those are listed once, with the budgets on all of them. */
function byKind(
  metrics: readonly ListedMetric[],
  operations: Scenario['operations'],
): readonly ListedMetric[] {
  const all = new Map<string, ListedMetric>();
  for (const metric of metrics) {
    const words = metric.path.split('.');
    const at = { latency: 1, load: 2, throughput: 1 }[words[0] ?? ''] ?? -1;
    const own = operations.find(({ id }) => words[at] === id || words[at] === `${id}PerSecond`);
    const word = own === undefined ? undefined : words[at]?.replace(own.id, KIND);
    const path = word === undefined ? metric.path : words.with(at, word).join('.');
    const budgets = [...(all.get(path)?.budgets ?? []), ...metric.budgets];
    all.set(path, { ...metric, path, budgets });
  }
  return [...all.values()];
}

/** A line for each metric. */
export function metricsText(
  scenario: Scenario | null,
  metrics: readonly ListedMetric[],
  width: number,
): string {
  const many = scenario !== null && areMany(scenario.operations) ? scenario.operations : [];
  const rows = byKind(metrics, many).map(({ path, unit, stats, stages, budgets }) => [
    path,
    UNITS[unit] ?? unit,
    STAGES[stages],
    stats?.join(' ') ?? '',
    budgets.join(', '),
  ]);
  const header = ['METRIC', 'UNIT', 'STAGES', 'STATISTICS', ...(scenario === null ? [] : ['BUDGETS'])];
  const lines = table([header, ...rows], '', width);
  const stages = scenario?.load.stages?.map(({ name }) => name) ?? [];
  const example = metrics.find(({ path, unit }) => unit === 'ms' && path.endsWith('.due'))?.path;
  const notes = [
    ...(example === undefined
      ? []
      : [`A budget names one: { id: fast, metric: ${example}, stat: p95, op: <, limit: 100, unit: ms }`]),
    ...(many.length === 0 ? [] : [`${KIND}: one of ${many.map(({ id }) => id).join(', ')}.`]),
    'stage: a budget may name a stage with it; stage only: it must.',
    ...(scenario === null ? [] : [`Stages of ${scenario.name}: ${stages.join(', ') || 'none'}.`]),
  ];
  return `${[...lines, '', ...notes.flatMap((note) => wrap(note, width))].join('\n')}\n`;
}
