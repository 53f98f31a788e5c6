import { parse } from 'yaml';
import { EXIT } from '../../src/errors.ts';
import { writeScenario } from '../../src/scenario/resolved.ts';
import { fluxScenario } from '../../src/systems/flux/scenario.ts';
import { k6Scenario, k6SummaryOf } from '../fixtures/k6-summary-of.ts';
import { mutateBytes } from './bytes.ts';
import { chance, pick } from './draw.ts';
import { type Ended, fileOf, type Target } from './input.ts';
import { jsonText, mutateTree, treeOf } from './tree.ts';

const { pass, invalid, breached, badInput } = EXIT;
const FLAGS = [[], ['--json'], ['--quiet'], ['--out', '{folder}/verdict']] as const;

/** `report --from-k6` of a summary that is damaged. */
export function reportFromK6(): Target {
  const scenario = k6Scenario();
  const yaml = writeScenario(scenario, fluxScenario);
  const whole = k6SummaryOf(scenario);
  const bytes = Buffer.from(JSON.stringify(whole));
  return {
    name: 'report from k6',
    share: 0.1,
    exits: [pass, invalid, breached, badInput],
    make(next) {
      const tree = treeOf(whole);
      mutateTree(tree, next);
      const asBytes = chance(next, 0.25);
      const content = asBytes ? mutateBytes(bytes, Buffer.from(yaml), next) : jsonText(tree);
      return {
        argv: [
          ...['report', '--scenario', '{folder}/world.yaml', '--from-k6', '{folder}/one.json'],
          ...pick(next, FLAGS),
        ],
        env: {},
        files: [
          ['world.yaml', yaml],
          ['one.json', content],
        ],
        made: asBytes ? 'bytes' : 'tree',
      };
    },
    check: whyNoPass,
  };
}

type Values = Readonly<Record<string, unknown>>;

/** Why a summary that was reported as passed had no right to, in other words than the judge's. */
async function whyNoPass({ input, code }: Ended): Promise<readonly string[]> {
  if (code !== pass) return [];
  const content = fileOf(input, 'one.json');
  const text = content instanceof Uint8Array ? Buffer.from(content).toString() : String(content);
  const { metrics }: { metrics: Readonly<Record<string, { values?: Values } | undefined>> } = JSON.parse(
    text.replace(/^\ufeff/, ''),
  );
  const of = (name: string, value = 'count'): number => Number(metrics[`capbench_${name}`]?.values?.[value]);
  const { load } = parse(String(fileOf(input, 'world.yaml')));
  const wrong: string[] = [];
  for (const [name, perSecond, each] of [
    ['intent', load.operations.intent.perSecond, 1],
    ['monster_command', load.operations.monsterCommand.perSecond, load.commandsPerPost],
  ]) {
    const [scheduled, ok, rejected, skipped, failed] = [
      of(`${name}_scheduled`),
      of(`${name}_ok`),
      of(`${name}_rejected`),
      of(`${name}_skipped`),
      of(`${name}_failed`),
    ];
    const settled = ok + rejected + skipped + failed + of(`${name}_timed_out`) + of(`${name}_unfinished`);
    if (settled !== scheduled) wrong.push(`${settled} of ${scheduled} ${name} settled`);
    if (!(Math.abs(scheduled - 20 * perSecond) <= 100)) wrong.push(`${scheduled} ${name} were due`);
    if (each * of(`${name}_due`) !== ok + rejected) wrong.push(`${of(`${name}_due`)} latencies of ${name}`);
    if (!(scheduled - skipped - failed >= 0.99 * scheduled)) wrong.push(`${skipped} ${name} were skipped`);
    if (!(ok + rejected > 0)) wrong.push(`no ${name} was answered`);
  }
  if (!(of('connected') >= 99)) wrong.push(`${of('connected')} players`);
  if (of('stray_answers') !== 0) wrong.push('answers to nothing');
  const answers: readonly [number, number][] = JSON.parse(text.replace(/^\ufeff/, '')).capbench.buckets
    .capbench_intent_due;
  const inTime = answers.reduce((sum, [ms, n]) => sum + (ms < 50 ? n : 0), 0);
  const share = (inTime - of('intent_rejected')) / of('intent_scheduled');
  if (!(share >= 0.95)) wrong.push(`${share} in time`);
  return wrong.map((reason) => `passed although: ${reason}`);
}
