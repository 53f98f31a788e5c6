import { comparisonOf, type ScoreName, type Scores } from '../model/scores.ts';
import { bytesText, numberText, quantity } from '../report/quantity.ts';
import { wrap } from '../report/terminal-text.ts';
import { counted } from '../units.ts';
import { table } from './table.ts';

/** A larger spread, as a share, means that the machine did something else, too. */
const MOST_SPREAD = 0.1;
/** More cores that others use are worth a warning. */
const MOST_OTHER_CORES = 0.1;

/** Percent of all CPU time; more would make a run invalid. */
const MOST_STEAL = 2;

const WHAT: Readonly<Record<ScoreName, string>> = {
  javascript: 'a tick of a small world, one core',
  webSocket: 'JSON over WebSocket, one core',
  loopback: '256 bytes over TCP, one core',
  fdatasyncP50: '8 kB to the disk, p50',
  fdatasyncP95: '8 kB to the disk, p95',
  memoryBandwidth: 'read and written, one core',
  batchedUpdates: 'UPDATEs in batches of 1,000, committed',
};

const entriesOf = ({ scores }: Scores) =>
  Object.entries(scores) as readonly (readonly [ScoreName, Scores['scores'][ScoreName]])[];

const coresText = ({ cpus, cores }: Scores): string => {
  const all = `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;
  if (cores === null) return all;
  return `${all} of ${counted(cores, 'core')}${cpus > cores ? ' (SMT)' : ''}`;
};

/** The machine, and its scores as a table. */
export function scoreLines(scores: Scores, width: number): readonly string[] {
  const { cpuModel, arch, memoryBytes, stealPercent, capbench, node } = scores;
  const steal = stealPercent === null ? [] : [`steal ${quantity(stealPercent, '%')}`];
  const machine = [cpuModel, coresText(scores), arch, bytesText(memoryBytes), ...steal].join(', ');
  const rows = entriesOf(scores).map(([name, score]) =>
    'unmeasured' in score
      ? [name, 'unmeasured', '', score.unmeasured]
      : [
          name,
          numberText(score.value, 4),
          `±${quantity(100 * score.spread, '%', 2)}`,
          `${score.unit}: ${WHAT[name]}`,
        ],
  );
  return [
    ...wrap(machine, width),
    `capbench ${capbench}, Node ${node}`,
    '',
    ...table([['SCORE', 'VALUE', 'SPREAD', ''], ...rows], '  ', width),
  ];
}

/** How this machine compares with another one. */
export function comparisonLines(here: Scores, there: Scores, name: string, width: number): readonly string[] {
  const { ratios, core, differences } = comparisonOf(here, there);
  const shownValue = (scores: Scores, score: ScoreName): string => {
    const one = scores.scores[score];
    return one !== undefined && 'value' in one ? numberText(one.value, 4) : 'unmeasured';
  };
  const rows = entriesOf(here).map(([score]) => {
    const ratio = ratios[score];
    const text = ratio === undefined ? '' : `${numberText(ratio)}x as good`;
    return [score, shownValue(here, score), shownValue(there, score), text];
  });
  return [
    '',
    ...wrap(`This machine, and that of ${name}: ${there.cpuModel}, ${coresText(there)}`, width),
    ...table([['SCORE', 'HERE', 'THERE', 'HERE IS'], ...rows], '  ', width),
    ...(core === null
      ? []
      : [
          '',
          ...wrap(
            `A core of this machine is ${numberText(core)} times as fast (javascript and webSocket).`,
            width,
          ),
        ]),
    ...differences.flatMap((one) => wrap(`Not quite comparable: ${one}.`, width)),
  ];
}

/** What makes these scores doubtful. */
export function scoreWarnings(scores: Scores): readonly string[] {
  const wide = entriesOf(scores).flatMap(([name, score]) =>
    'spread' in score && score.spread > MOST_SPREAD
      ? [`${name} ±${quantity(100 * score.spread, '%', 2)}`]
      : [],
  );
  const others = scores.otherCores ?? 0;
  const steal = scores.stealPercent ?? 0;
  return [
    ...(scores.inMemory === true
      ? [
          'the temporary directory is in memory, so no disk was measured; set TMPDIR to a directory on the disk that the database will use',
        ]
      : []),
    ...(steal > MOST_STEAL
      ? [
          `the host took ${quantity(steal, '%', 2)} of the CPU time for other machines (steal): this machine is shared`,
        ]
      : []),
    ...(wide.length === 0
      ? []
      : [
          `measured beside other work, here or on the machine's host: ${wide.join(', ')}; run it again when it is quiet`,
        ]),
    ...(others > MOST_OTHER_CORES
      ? [
          `other processes used ${numberText(others, 2)} cores just before or after it; end them, and run it again`,
        ]
      : []),
  ];
}
