import type { ClaimCounts, ClaimFinding, ClaimRun, DocumentFindings } from './claim-findings.ts';
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
  proofText,
  runText,
  standingText,
} from './claims-text.ts';
import { cell, MARKS, tableHead, tableRow } from './markdown.ts';
import { capital } from './plain-text.ts';
import { timeText } from './report-text.ts';

/** The same as claimsHtml, as tables of Markdown. */
export const claimsMarkdown = (documents: readonly DocumentFindings[], runs: readonly ClaimRun[]): string =>
  `${[
    '## What the documents promise, and what was found',
    '',
    ...countTable('document', new Map(documents.map(({ document, counts }) => [document, counts]))),
    ...documents.flatMap(documentLines),
    '### Runs',
    '',
    ...(runs.length === 0 ? ['No run is recorded.'] : runTable(runs)),
  ].join('\n')}\n`;

const countTable = (of: string, rows: ReadonlyMap<string, ClaimCounts>): readonly string[] => [
  ...tableHead([of, 'claims', ...COUNTED]),
  ...[...rows].map(([name, counts]) =>
    tableRow([name, ...[counts.all, ...COUNTED.map((state) => counts[state])].map(String)]),
  ),
  '',
];

function documentLines(one: DocumentFindings): string[] {
  const { document, name, findings, byProof } = one;
  return [
    `### ${cell(document)}`,
    '',
    cell(name),
    '',
    ...countTable('proof', new Map([...byProof].map(([proof, counts]) => [proofText(proof), counts]))),
    ...leftTexts(one).flatMap((note) => [cell(capital(note)), '']),
    ...tableHead(['', 'claim', 'promised', 'found', 'run', 'why']),
    ...findings.map(findingRow),
    '',
  ];
}

function findingRow(finding: ClaimFinding): string {
  const { claim, state, reason } = finding;
  const why = [judgedText(finding), reason ?? '', othersText(finding)]
    .filter((text) => text !== '')
    .join('; ');
  const promised = `${promiseText(finding)} (${placeText(finding)})`;
  return tableRow([
    `${MARKS[state]} ${state}`,
    claim.id,
    promised,
    foundText(finding),
    runText(finding),
    why,
  ]);
}

const runTable = (runs: readonly ClaimRun[]): readonly string[] => [
  ...tableHead(['scenario', 'outcome', 'time', 'machine', 'altered', 'counts', 'bundle']),
  ...runs.map((run) =>
    tableRow([
      ...[run.scenario, outcomeText(run), timeText(run.startedAt), machineText(run)],
      ...[alterationText(run), standingText(run, runs) || 'yes', run.bundle],
    ]),
  ),
];
