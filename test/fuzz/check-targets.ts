import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/errors.ts';
import type { Random } from '../../src/rng.ts';
import type { Budget } from '../../src/scenario/budget.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { mutateBytes } from './bytes.ts';
import { below, chance, pick } from './draw.ts';
import type { Ended, Target } from './input.ts';
import { FILES, INHERITED, LONG_STRINGS, leafTexts, NO_JSON, NUMBERS, STRINGS } from './nasty.ts';
import { bundles, type Original, ownScenario, scenarios, written } from './originals.ts';
import { jsonText, mutateTree, type Tree, yamlText } from './tree.ts';

const EXITS = [EXIT.pass, EXIT.badInput];

/** Whole files first, then one of the originals, damaged as bytes or as a tree. */
function damaged(
  from: readonly Original[],
  next: Random,
  index: number,
): readonly [string, string | Uint8Array] {
  const file = FILES[index];
  if (file !== undefined) return file;
  const chosen = pick(next, from);
  if (chance(next, 0.4)) {
    const other = pick(next, from);
    return [`bytes of ${chosen.name}`, mutateBytes(chosen.bytes, other.bytes, next)];
  }
  const tree = chosen.tree();
  mutateTree(tree, next);
  return [`tree of ${chosen.name}`, chance(next, 0.9) ? yamlText(tree) : jsonText(tree)];
}

/** `check` of a damaged scenario file, the user's own or a resolved one. */
export function checkFile(root: string): Target {
  const from = () => [...scenarios(root), ownScenario(), ...bundles(root).map(({ scenario }) => scenario)];
  return {
    name: 'check file',
    share: 0.3,
    exits: EXITS,
    make(next, index) {
      const [made, content] = damaged(from(), next, index);
      const flags = chance(next, 0.3) ? ['--json'] : [];
      return { argv: ['check', '{folder}/my.yaml', ...flags], env: {}, files: [['my.yaml', content]], made };
    },
    check: mayRestart,
  };
}

/** A path that stands in the tree, or nearly. */
function pathIn(tree: Tree, next: Random): string {
  const keys: string[] = [];
  let at = tree;
  while (at.kind !== 'leaf') {
    const children: readonly (readonly [string, Tree])[] =
      at.kind === 'map' ? at.entries : at.items.map((item, i) => [String(i), item]);
    if (children.length === 0) break;
    const [key, child] = pick(next, children);
    keys.push(key);
    if (chance(next, 0.1)) break;
    at = child;
  }
  const odd = [...INHERITED, '', '0', '-1', '999999', 'x', 'budgets', ' '];
  if (chance(next, 0.15)) keys.splice(below(next, keys.length + 1), below(next, 2), pick(next, odd));
  if (chance(next, 0.02)) keys.push(...new Array<string>(pick(next, [50, 20_000])).fill('a'));
  return keys.join('.');
}

function value(next: Random): string {
  const bare = [...NUMBERS, ...STRINGS, ...NO_JSON, ...INHERITED];
  if (chance(next, 0.03)) return pick(next, LONG_STRINGS);
  if (chance(next, 0.2))
    return pick(next, ['[1, 2]', '[&a 1, *a]', '[*a]', '{a: 1}', '[[[1]]]', '"', '[1', '- 1\n- 2']);
  return chance(next, 0.6) ? pick(next, bare) : pick(next, leafTexts);
}

/** `check` of a whole scenario under `--set`, `--scale`, `--duration`, `--seed` and their variables. */
export function checkSet(root: string): Target {
  return {
    name: 'check --set',
    share: 0.15,
    exits: EXITS,
    make(next) {
      const chosen = pick(next, scenarios(root));
      const argv = ['check', chosen.name.replace('.yaml', '')];
      const env: Record<string, string> = {};
      const tree = chosen.tree();
      for (let n = below(next, 4); n > 0; n--) argv.push('--set', `${pathIn(tree, next)}=${value(next)}`);
      for (const name of ['scale', 'duration', 'seed']) {
        if (!chance(next, 0.25)) continue;
        if (chance(next, 0.5)) argv.push(`--${name}=${value(next)}`);
        else env[`CAPBENCH_${name.toUpperCase()}`] = value(next);
      }
      if (chance(next, 0.03))
        argv.push(pick(next, ['--set', '--scale', '--', '--set=', '-', '--json=1', '']));
      if (chance(next, 0.3)) argv.push('--json');
      return { argv, env, files: [], made: 'flags' };
    },
    check: mayRestart,
  };
}

/** `check --json` shows a scenario as files have it. */
const readBack = ({ players, ...scenario }: Scenario & { readonly players?: unknown }): Scenario => ({
  ...scenario,
  sections: players === undefined ? undefined : { players },
  budgets: scenario.budgets.map((one) =>
    one.state === 'measured' ? ({ ...one, metric: { path: one.metric } } as unknown as Budget) : one,
  ),
});

/** What `check` accepts, a run would write into its bundle, and `report` has to read it there as the same. */
async function mayRestart({ input, code, out, folder, run }: Ended): Promise<readonly string[]> {
  if (code !== 0 || !input.argv.includes('--json')) return [];
  const { scenario, scenarioHash } = JSON.parse(out);
  writeFileSync(join(folder, 'again.yaml'), written(readBack(scenario)));
  const again = await run(['check', join(folder, 'again.yaml'), '--json']);
  if (again.code !== 0) return [`what check accepted cannot be read again: ${again.out}`];
  return JSON.parse(again.out).scenarioHash === scenarioHash
    ? []
    : ['what check accepted is read again as another'];
}
