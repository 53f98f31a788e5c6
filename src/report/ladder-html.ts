import type { Ladder, LadderStep } from '../model/ladder.ts';
import { type Drawing, type Look, latencyAxis } from './drawing.ts';
import {
  brokenText,
  playersText,
  purposeText,
  resultFacts,
  searchHeadline,
  searchVerdict,
} from './ladder-text.ts';
import { factList, row, safe, type Tile, table, tileRow } from './markup.ts';
import { page } from './page.ts';
import { capital } from './plain-text.ts';
import { numberText, quantity } from './quantity.ts';
import { timeText } from './report-text.ts';
import { svgOf } from './svg.ts';

/** search.html: one file that makes no request; it leads to the pages of the steps beside it. */
export function ladderHtml(ladder: Ladder): string {
  const { word, exitCode } = searchVerdict(ladder);
  const title = `${ladder.scenario}: ${word} (${exitCode})`;
  const colour = exitCode === 0 ? 'pass' : word === 'found' ? 'fail' : 'invalid';
  const header = `<header class="${colour}">
<p class="name">${safe(ladder.scenario)} <span class="faint">search for the largest number of players</span></p>
<h1>${safe(capital(word))} <span class="faint">exit code ${exitCode}</span></h1>
<p class="headline">${safe(capital(searchHeadline(ladder)))}.</p>
</header>`;
  const knee = kneeDrawing(ladder);
  return page(
    title,
    [header, tiles(ladder)],
    [
      { id: 'knee', title: 'Latency by players', parts: knee === null ? [] : [svgOf(knee)] },
      { id: 'ladder', title: 'Ladder', parts: ladder.steps.length === 0 ? [] : [ladderTable(ladder)] },
      { id: 'search', title: 'This search', parts: factList(factsOf(ladder)) },
    ],
  );
}

function tiles({ result, steps }: Ladder): string {
  if (result === null) return '';
  const all: readonly Tile[] = result.found
    ? [
        ['Capacity', playersText(result.players), 'the lower end of what is known'],
        ['First fail', playersText(result.firstFail), `last pass ${numberText(result.lastPass)}`],
        ['Confirmed', `${result.confirmed.passed} of ${result.confirmed.of}`, 'trials at full length'],
        ['Broke first', result.brokeFirst?.id ?? 'unknown', result.brokeFirst?.title ?? ''],
        ['Ran out', result.ranOut?.resource ?? 'nothing', 'the evidence is under This search'],
      ]
    : [
        ['Last pass', playersText(result.lastPass), 'no capacity is stated'],
        ['First fail', playersText(result.firstFail), 'of the trials that stand'],
        ['Gave out', result.gaveOut ?? 'nothing', `after ${numberText(steps.length)} steps`],
      ];
  return tileRow(all);
}

const STATES = {
  pass: ['met', '✓ pass'],
  fail: ['breached', '✗ fail'],
  invalid: ['noted', '– invalid'],
} as const;

const ladderTable = ({ steps }: Ladder): string =>
  table(
    ['', 'Players', 'Seconds', 'Step', 'Operations/s', 'p95', 'Because'],
    steps.map((step) => {
      const [className, state] = STATES[step.outcome];
      return row(
        [
          state,
          numberText(step.players),
          numberText(step.seconds),
          {
            html: `<a href="${safe(encodeURI(step.bundle))}/report.html">${step.step}</a> ${safe(purposeText(step))}`,
          },
          numberText(step.operationsPerSecond),
          quantity(step.latency?.p95Ms ?? null, 'ms'),
          reasonOf(step),
        ],
        className,
      );
    }),
    'ladder',
  );

function reasonOf({ because, brokeFirst, ranOut, outcome }: LadderStep): string {
  if (outcome !== 'fail') return because;
  const broke = brokeFirst === null ? because : brokenText(brokeFirst);
  return ranOut === null ? broke : `${broke}; ran out: ${ranOut.resource}`;
}

const factsOf = (ladder: Ladder) => ({
  ...Object.fromEntries(resultFacts(ladder).map(([name, text]) => [name, [text]])),
  started: [timeText(ladder.startedAt)],
  seed: [`${ladder.seed}, another one in each step`],
  scenario: [`${playersText(ladder.basePlayers)} at scale 1, ${ladder.scenarioHash.slice(0, 12)}`],
});

/** p95 over the number of players, of several trials the highest and the lowest; null where nothing was answered. */
export function kneeDrawing({ steps, latencyLimit, result }: Ladder): Drawing | null {
  const known = steps.flatMap(({ players, latency }) =>
    latency === null || latency.p95Ms === null ? [] : [{ players, ms: latency.p95Ms, label: latency.label }],
  );
  const [first] = known;
  if (first === undefined) return null;
  const x = [...new Set(known.map(({ players }) => players))].toSorted((a, b) => a - b);
  const at = (players: number): number[] =>
    known.filter((one) => one.players === players).map(({ ms }) => ms);
  const highest = x.map((players) => Math.max(...at(players)));
  const lowest = x.map((players) => Math.min(...at(players)));
  const curves: readonly Look[] = [
    { name: `${first.label} p95, highest of each number`, x, y: highest, dashed: false },
    { name: 'lowest', x, y: lowest, dashed: true },
  ];
  const limits =
    latencyLimit === null
      ? []
      : [{ name: latencyLimit.name, label: quantity(latencyLimit.ms, 'ms'), y: latencyLimit.ms, span: null }];
  const stages =
    result?.found === true ? [{ name: 'last pass', from: result.lastPass, to: result.firstFail }] : [];
  const title = 'Latency from the scheduled time, by players';
  return {
    ...{ name: 'knee', title, curves, limits, stacked: false, bars: null },
    marks: { measured: null, stages, faults: [], noise: { spans: [], causes: [] } },
    alt: `${title}, p95 in milliseconds: ${x.map((players, i) => `${numberText(players)} players ${quantity(highest[i] ?? null, 'ms')}`).join(', ')}.${latencyLimit === null ? '' : ` Limit: ${latencyLimit.name}.`}`,
    x: { title: 'players', scale: 'linear', from: 0, to: 1.05 * Math.max(...x) },
    y: latencyAxis(curves, limits),
  };
}
