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
import { STATES, subject } from './html-checks.ts';
import { type Row, row, safe, table } from './markup.ts';
import { page } from './page.ts';
import { capital } from './plain-text.ts';
import { numberText } from './quantity.ts';
import { timeText } from './report-text.ts';

/** What documents promise and what was found, as one page without scripts. */
export function claimsHtml(documents: readonly DocumentFindings[], runs: readonly ClaimRun[]): string {
  const title = 'What the documents promise, and what was found';
  return page(
    title,
    [`<header><h1>${safe(title)}</h1>${countTable(documents)}</header>`],
    [
      ...documents.map((one) => ({ id: one.system, title: one.document, parts: documentParts(one) })),
      { id: 'runs', title: 'Runs', parts: [runTable(runs)] },
    ],
  );
}

const countCells = (counts: ClaimCounts): readonly string[] =>
  [counts.all, ...COUNTED.map((state) => counts[state])].map((count) => numberText(count));

const HEAD = ['Claims', ...COUNTED.map(capital)];

const countTable = (documents: readonly DocumentFindings[]): string =>
  table(
    ['', ...HEAD],
    documents.map(({ document, counts }) => row([document, ...countCells(counts)])),
    'numbers',
  );

function documentParts(document: DocumentFindings): readonly string[] {
  const { name, findings, byProof } = document;
  return [
    `<p>${safe(name)}</p>`,
    table(
      ['', ...HEAD],
      [...byProof].map(([proof, counts]) => row([proofText(proof), ...countCells(counts)])),
      'numbers',
    ),
    ...leftTexts(document).map((note) => `<p class="note">${safe(capital(note))}</p>`),
    table(['', 'Promised', 'Found', 'Run'], findings.map(findingRow), 'checks'),
  ];
}

function findingRow(finding: ClaimFinding): Row {
  const { claim, state, reason } = finding;
  const details = [judgedText(finding), othersText(finding), placeText(finding), proofText(claim.verify)];
  return row(
    [
      STATES[state],
      subject(promiseText(finding), claim.id, reason, details.filter((text) => text !== '').join(' · ')),
      foundText(finding),
      runText(finding),
    ],
    state,
  );
}

const runTable = (runs: readonly ClaimRun[]): string =>
  runs.length === 0
    ? '<p>No run is recorded.</p>'
    : table(
        ['', 'Scenario', 'Time', 'Machine'],
        runs.map((run) =>
          row([
            outcomeText(run),
            subject(run.scenario, run.bundle, standingText(run, runs), alterationText(run)),
            timeText(run.startedAt),
            machineText(run),
          ]),
        ),
        'checks',
      );
