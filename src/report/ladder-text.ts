import { EXIT, type ExitCode } from '../errors.ts';
import { asBox } from '../measurement/emulated-tier.ts';
import type { Broken, Ladder, LadderStep } from '../model/ladder.ts';
import { counted } from '../units.ts';
import { NOTHING, numberText, quantity } from './quantity.ts';

/** A word for the verdict of a search, and the exit code of the command. */
export interface SearchVerdict {
  readonly word: 'found' | 'bound not found' | 'interrupted';
  readonly exitCode: ExitCode;
}

/** Acknowledged data that was lost outweighs any number. */
export function searchVerdict({ steps, result }: Pick<Ladder, 'steps' | 'result'>): SearchVerdict {
  const word = result === null ? 'interrupted' : result.found ? 'found' : 'bound not found';
  if (result === null) return { word, exitCode: EXIT.interrupted };
  const isLost =
    !result.found && result.gaveOut === 'generator' && steps.at(-1)?.exitCode === EXIT.stackFailed;
  if (isLost || (!result.found && result.gaveOut === 'stack')) return { word, exitCode: EXIT.stackFailed };
  if (steps.some(({ exitCode }) => exitCode === EXIT.dataLost)) return { word, exitCode: EXIT.dataLost };
  return { word, exitCode: result.found ? EXIT.pass : EXIT.invalid };
}

export const playersText = (players: number | null): string =>
  players === null ? NOTHING : counted(players, 'player');

/** One sentence: what the search has shown. */
export const searchHeadline = (ladder: Pick<Ladder, 'steps' | 'result' | 'tierFacts'>): string =>
  `${findingOf(ladder)}${ladder.tierFacts === undefined ? '' : `; ${asBox(ladder.tierFacts)}`}`;

function findingOf({ steps, result }: Pick<Ladder, 'steps' | 'result'>): string {
  const lost = steps.filter(({ exitCode }) => exitCode === EXIT.dataLost);
  const loss =
    lost.length === 0
      ? ''
      : `; acknowledged data was lost at ${lost.map(({ players }) => numberText(players)).join(', ')} players`;
  if (result === null) return `interrupted after ${numberText(steps.length)} steps${loss}`;
  if (!result.found) return `bound not found: ${result.because}${loss}`;
  const { players, firstFail, unfinished, confirmed } = result;
  return unfinished === null
    ? `${playersText(players)} keep every budget; ${numberText(firstFail)} do not${loss}`
    : `between ${numberText(players)} and ${numberText(firstFail)} players, confirmed ${confirmed.passed} of ${confirmed.of} times: ${unfinished}${loss}`;
}

/** `latency, p95 612 ms (limit 500 ms)`; a rule of the load by its title. */
export function brokenText({ id, title, limit, observed, unit }: Broken): string {
  const shown = (value: Broken['limit']): string =>
    value === null
      ? 'not answered'
      : typeof value === 'number'
        ? quantity(value, unit)
        : typeof value === 'string'
          ? value
          : value.map((one) => quantity(one, unit)).join(' to ');
  return `${id}: ${title}, ${shown(observed)} (limit ${shown(limit)})`;
}

const PURPOSES: Readonly<Record<LadderStep['purpose'], string>> = {
  double: 'up',
  halve: 'down',
  bisect: 'between',
  again: 'again',
  confirm: 'confirm',
};
export const purposeText = ({ purpose }: Pick<LadderStep, 'purpose'>): string => PURPOSES[purpose];

/** Where the load came from. */
export const loadedFrom = ({ agents = [] }: Pick<Ladder, 'agents'>): string =>
  agents.length === 0 ? 'this host' : agents.toSorted().join(' and ');

/** What a reader should know of a result, beside its numbers: name and text. */
export function resultFacts(ladder: Ladder): readonly (readonly [name: string, text: string])[] {
  const { result, steps, precisionPercent, sameServer, host, tier } = ladder;
  const brokeFirst = result?.found === true ? result.brokeFirst : lowestFail(ladder)?.brokeFirst;
  const ranOut = result?.found === true ? result.ranOut : lowestFail(ladder)?.ranOut;
  const minutes = steps.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0) / 60;
  return [
    ['last pass', passText(ladder)],
    ['first fail', playersText(result === null ? (lowestFail(ladder)?.players ?? null) : result.firstFail)],
    ...(brokeFirst == null ? [] : [['broke first', brokenText(brokeFirst)] as const]),
    ...(ranOut == null ? [] : [['ran out', `${ranOut.resource}: ${ranOut.evidence}`] as const]),
    [
      'made of',
      `${numberText(steps.length)} steps in ${numberText(minutes, 2)} min, to ${numberText(precisionPercent)}%, ${sameServer ? 'the same server throughout' : 'each on a fresh stack'}`,
    ],
    [
      tier === null ? 'measured on' : 'emulated',
      `${tier === null ? '' : `${tier}, on `}${host.cpuModel}, ${counted(host.cpus, 'core')}`,
    ],
    ...(ladder.agents === undefined ? [] : [['load from', loadedFrom(ladder)] as const]),
  ];
}

function passText({ result, steps }: Ladder): string {
  if (result === null) {
    const passed = steps.filter(({ outcome }) => outcome === 'pass').map(({ players }) => players);
    return passed.length === 0 ? NOTHING : `${playersText(Math.max(...passed))}, not confirmed`;
  }
  if (!result.found) return playersText(result.lastPass);
  const { passed, of } = result.confirmed;
  return `${playersText(result.lastPass)}, confirmed ${passed} of ${of} times at full length`;
}

/** Of a search without an answer. */
const lowestFail = ({ steps }: Pick<Ladder, 'steps'>): LadderStep | undefined =>
  steps.filter(({ outcome }) => outcome === 'fail').toSorted((a, b) => a.players - b.players)[0];
