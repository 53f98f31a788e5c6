import type { ClaimCounts, ClaimFinding, ClaimRun, DocumentFindings } from '../report/claim-findings.ts';
import {
  alterationText,
  COUNTED,
  foundText,
  judgedText,
  leftTexts,
  machineText,
  othersText,
  outcomeText,
  placeText,
  promiseText,
  runText,
  standingText,
} from '../report/claims-text.ts';
import { NOTHING } from '../report/quantity.ts';
import { timeText } from '../report/report-text.ts';
import { wrap } from '../report/terminal-text.ts';
import { table } from './table.ts';

/** How the findings are printed. */
interface ClaimLinesStyle {
  /** The folder of bundles, as it is shown. */
  readonly bundles: string;
  /** Also each claim. */
  readonly each: boolean;
  readonly width: number;
}

/** A line of counts for each document, and for each kind of proof in it; then the runs that they are from. */
export function claimLines(
  documents: readonly DocumentFindings[],
  runs: readonly ClaimRun[],
  { bundles, each, width }: ClaimLinesStyle,
): readonly string[] {
  const heads = ['claims', ...COUNTED].map((head) => head.toUpperCase());
  const counted = ({ all, ...of }: ClaimCounts): readonly string[] =>
    [all, ...COUNTED.map((state) => of[state])].map(String);
  const rows = documents.flatMap((one) => [
    [nameOf(one), ...counted(one.counts)],
    ...[...one.byProof].map(([proof, own]) => [`  ${proof}`, ...counted(own)]),
  ]);
  const left = documents.map((one) => [nameOf(one), leftTexts(one).join('\n')]);
  return [
    ...countLines([['DOCUMENT', ...heads], ...rows]),
    ...block(
      left.filter(([, text]) => text !== ''),
      width,
    ),
    ...(each
      ? block(
          documents.flatMap(({ findings }) => findings.map(findingRow)),
          width,
        )
      : []),
    '',
    ...(runs.length === 0
      ? wrap(`No run in ${bundles} has ruled a claim: counted is what the scenarios say without one.`, width)
      : [
          ...wrap(`The newest run of each scenario in ${bundles}:`, width),
          ...table(
            runs.map((run) => runRow(run, runs)),
            '  ',
            width,
          ),
        ]),
  ];
}

const nameOf = ({ document }: DocumentFindings): string => document.replace(/\.md$/, '');

/** Names on the left, and counts below the ends of their heads. */
function countLines(rows: readonly (readonly string[])[]): readonly string[] {
  const [heads = []] = rows;
  const names = Math.max(...rows.map(([name = '']) => name.length));
  return rows.map(([name = '', ...counts]) =>
    [name.padEnd(names), ...counts.map((count, i) => count.padStart(heads[i + 1]?.length ?? 0))].join('  '),
  );
}

const block = (rows: readonly (readonly string[])[], width: number): readonly string[] =>
  rows.length === 0 ? [] : ['', ...table(rows, '', width)];

const findingRow = (finding: ClaimFinding): readonly string[] => {
  const { claim, state, reason } = finding;
  // What a document or a host rules out needs no figure.
  const isFound = finding.run !== null && (foundText(finding) !== NOTHING || finding.gap !== null);
  const found = isFound ? `found: ${foundText(finding)} (${machinedText(finding)})` : '';
  const promised = `${promiseText(finding)} (${placeText(finding)})`;
  const lines = [promised, found, judgedText(finding), reason ?? '', othersText(finding)];
  return [claim.id, state, lines.filter((line) => line !== '').join('\n')];
};

const machinedText = (finding: ClaimFinding): string =>
  [runText(finding), ...(finding.run === null ? [] : [machineText(finding.run)])].join('; ');

const runRow = (run: ClaimRun, runs: readonly ClaimRun[]): readonly string[] => [
  run.scenario,
  outcomeText(run),
  [standingText(run, runs), timeText(run.startedAt), machineText(run), alterationText(run), run.bundle]
    .filter((text) => text !== '')
    .join('\n'),
];
