import { EXIT } from '../../src/errors.ts';
import type { Random } from '../../src/rng.ts';
import { mutateBytes } from './bytes.ts';
import { below, chance, pick } from './draw.ts';
import type { Content, Input, Target } from './input.ts';
import { FILES } from './nasty.ts';
import { whyNoPass } from './oracle.ts';
import { bundles } from './originals.ts';
import { jsonText, mutateTree, yamlText } from './tree.ts';

const { pass, invalid, dataLost, stackFailed, breached, badInput, interrupted } = EXIT;
const EXITS = [pass, invalid, dataLost, stackFailed, breached, badInput, interrupted];

const FLAGS = [[], [], ['--json'], ['--quiet'], ['--no-color', '--verbose']] as const;

function reportOf(next: Random, made: string, files: readonly (readonly [string, Content])[]): Input {
  return { argv: ['report', '{folder}/bundle', ...pick(next, FLAGS)], env: {}, files, made };
}

/** `report` of a bundle whose measurements are damaged. */
export function reportMeasurements(root: string): Target {
  return {
    name: 'report measurements',
    share: 0.25,
    exits: EXITS,
    make(next) {
      const { measurements, scenario } = pick(next, bundles(root));
      const files = (content: Content): readonly (readonly [string, Content])[] => [
        ['bundle/scenario.yaml', scenario.bytes],
        ['bundle/measurements.json', content],
      ];
      if (chance(next, 0.25)) {
        return reportOf(next, 'bytes', files(mutateBytes(measurements.bytes, scenario.bytes, next)));
      }
      const tree = measurements.tree();
      mutateTree(tree, next);
      return reportOf(next, 'tree', files(jsonText(tree)));
    },
    check: whyNoPass,
  };
}

/** `report` of a bundle whose resolved scenario is damaged. */
export function reportScenario(root: string): Target {
  return {
    name: 'report scenario',
    share: 0.1,
    exits: EXITS,
    make(next) {
      const { measurements, scenario } = pick(next, bundles(root));
      const tree = scenario.tree();
      mutateTree(tree, next);
      const bytes = chance(next, 0.3);
      const content = bytes ? mutateBytes(scenario.bytes, measurements.bytes, next) : yamlText(tree);
      return reportOf(next, bytes ? 'bytes' : 'tree', [
        ['bundle/measurements.json', measurements.bytes],
        ['bundle/scenario.yaml', content],
      ]);
    },
    check: whyNoPass,
  };
}

const ODD: readonly (readonly [name: string, content: Content | null])[] = [
  ['missing', null],
  ['a folder', { folder: true }],
  ['a pipe', { pipe: true }],
  ['a link to nothing', { link: 'nowhere' }],
  ['a link to itself', { link: 'measurements.json' }],
  ['a link to a device', { link: '/dev/zero' }],
  ['a link to the end', { link: '/dev/null' }],
  ['3 GB of nothing', { hole: 3 * 2 ** 30 }],
  ['20 MB of nothing', { hole: 20 * 2 ** 20 }],
];

/** What a command writes into the bundle, where something else lies already. */
const WRITTEN = 'report.json report.html junit.xml summary.md series.csv histograms charts'.split(' ');

const PATHS = [
  '',
  '.',
  '..',
  ...['', '/bundle/', '/bundle/measurements.json'].map((path) => `{folder}${path}`),
];
const STRANGE_PATHS = [
  ...['{folder}/no such', `{folder}/${'x'.repeat(5_000)}`, '{folder}/a\nb', '/dev/null', '/proc'],
];

/** `report` of a folder that is no bundle, or one with odd things in it. */
export function reportBundle(root: string): Target {
  return {
    name: 'report bundle',
    share: 0.1,
    exits: EXITS,
    make(next, index) {
      const { measurements, scenario } = pick(next, bundles(root));
      const whole = [
        ['bundle/measurements.json', measurements.bytes],
        ['bundle/scenario.yaml', scenario.bytes],
      ] as const;
      const files: (readonly [string, Content])[] = [...whole];
      const name = chance(next, 0.6) ? 'measurements.json' : 'scenario.yaml';
      const spot = `bundle/${name}`;
      const odd = ODD[index] ?? pick(next, ODD);
      const replaced = files.filter(([one]) => one !== spot);
      switch (index < ODD.length ? 0 : below(next, 5)) {
        case 0:
          return reportOf(
            next,
            `${name}: ${odd[0]}`,
            odd[1] === null ? replaced : [...replaced, [spot, odd[1]]],
          );
        case 1: {
          const [made, content] = pick(next, FILES);
          return reportOf(next, `${name}: ${made}`, [...replaced, [spot, content]]);
        }
        case 2: {
          const there = pick(next, WRITTEN);
          const content = odd[1] ?? mutateBytes(scenario.bytes, measurements.bytes, next);
          const at = pick(next, ['', '.tmp']);
          return reportOf(next, `${there}${at}: ${odd[0]}`, [...files, [`bundle/${there}${at}`, content]]);
        }
        case 3: {
          const text = Buffer.from(measurements.bytes).toString();
          const again = pick(next, [
            ...[`\ufeff${text}`, text.replaceAll(',', ',\r\n'), `${text}\n\n`, `${text}${text}`, `${text}\0`],
          ]);
          return reportOf(next, 'the same in other clothes', [
            ...replaced,
            ['bundle/measurements.json', again],
            whole[1],
          ]);
        }
        default: {
          const path = pick(next, PATHS);
          const strange = pick(next, STRANGE_PATHS);
          const given = chance(next, 0.5) ? path : strange;
          const made = `the folder ${JSON.stringify(given.slice(0, 30))}`;
          return { argv: ['report', given], env: {}, files, made };
        }
      }
    },
    check: whyNoPass,
  };
}
