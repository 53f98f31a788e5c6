import { resolve } from 'node:path';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import {
  type ClaimFinding,
  type ClaimRun,
  type ClaimScenario,
  documentFindings,
  isCounted,
  newestRuns,
} from '../report/claim-findings.ts';
import { claimsHtml } from '../report/claims-html.ts';
import { claimsMarkdown } from '../report/claims-markdown.ts';
import { type ClaimDocument, claimsOf } from '../scenario/claims.ts';
import { nearest } from '../scenario/nearest.ts';
import { claimLines } from './claim-lines.ts';
import { openFixedPaths, writeFixedPaths } from './publish.ts';
import { readReports } from './recorded-reports.ts';
import { loadDocuments, loadShipped, shippedScenarios } from './scenario-files.ts';
import { nearby } from './shown-path.ts';

/** The options of `capbench list` that go with `--claims`. */
export interface ClaimsFlags {
  readonly out?: string;
  readonly html?: string;
  readonly markdown?: string;
  readonly json?: boolean;
}

/**
 * Prints what became of the claims of all documents, or of one, and writes the pages that were asked for.
 * @throws CapbenchError: 104 for an unknown document or a file or folder that cannot be used, 90 or 93 as for any file
 */
export async function executeClaims(host: Host, wanted: string | null, flags: ClaimsFlags): Promise<void> {
  const known = await loadDocuments(host);
  const documents = documentsNamed(known, wanted);
  const given = flags.out || null;
  const out = resolve(host.cwd, given ?? (host.env.CAPBENCH_OUT || 'reports'));
  const { runs: all, files, skipped } = await readReports(host, out, given !== null);
  for (const line of skipped) host.stderr.write(`warning: ${line}\n`);
  const fixed = await openFixedPaths(host, flags, files, { html: 'claims.html', markdown: 'claims.md' });

  const claims = claimsOf(known);
  const scenarios: ClaimScenario[] = [];
  for (const [name, path] of await shippedScenarios(host)) {
    const { system, budgets } = await loadShipped(host, path, claims);
    scenarios.push({ name, system, budgets });
  }
  const systems = new Map(known.flatMap(({ system, claims: own }) => own.map(({ id }) => [id, system])));
  const runs = newestRuns(
    all.flatMap((run) => {
      const ruled = run.rulings.flatMap(({ claim }) => (claim === null ? [] : (systems.get(claim) ?? [])));
      // Reports of earlier versions do not name their system.
      const system = run.system ?? ruled[0];
      const isOfThese = documents.some((one) => one.system === system && ruled.includes(one.system));
      return isOfThese && system !== undefined ? [{ ...run, system }] : [];
    }),
  );
  const findings = documentFindings(documents, scenarios, runs);
  const artefacts = new Map([
    ['claims.html', claimsHtml(findings, runs)],
    ['claims.md', claimsMarkdown(findings, runs)],
  ]);
  const [unwritten] = await writeFixedPaths(host, fixed, artefacts, 'name a file that you may write to');
  if (unwritten !== undefined) throw unwritten;

  if (flags.json === true) {
    const data = {
      bundles: nearby(host, out),
      documents: findings.map(({ findings: each, byProof, gaps, ...one }) => ({
        ...one,
        ...{ byProof: Object.fromEntries(byProof), gaps: Object.fromEntries(gaps) },
        ...(wanted === null ? {} : { findings: each.map(findingJson) }),
      })),
      runs: runs.map((run) => ({ ...runJson(run), counts: isCounted(run, runs) })),
    };
    host.stdout.write(jsonText(data));
    return;
  }
  const lines = claimLines(findings, runs, {
    ...{ bundles: nearby(host, out), each: wanted !== null, width: host.stdout.columns },
  });
  host.stdout.write(`${lines.join('\n')}\n`);
}

/** A document is named by its file, with or without `.md`, or by its system. @throws CapbenchError (104) */
function documentsNamed(all: readonly ClaimDocument[], wanted: string | null): readonly ClaimDocument[] {
  if (wanted === null) return all;
  const found = all.filter(({ system, document }) =>
    [system, document, document.replace(/\.md$/, '')].includes(wanted),
  );
  if (found.length > 0) return found;
  const names = all.map(({ document }) => document);
  const meant = nearest(wanted, [...names, ...all.map(({ system }) => system)]);
  throw badInput(
    `there is no document "${wanted}"; those with claims are ${names.join(', ')}`,
    meant === undefined ? 'name one of them, or none for all' : `did you mean ${meant}?`,
  );
}

const runJson = ({ scenario, bundle, startedAt, outcome, exitCode, altered, load, host }: ClaimRun) => ({
  ...{ scenario, bundle, startedAt, outcome, exitCode, altered, scale: load.scale },
  ...{ cpuModel: host.cpuModel, cpus: host.cpus },
});

function findingJson({ claim, state, ruling, run, reason, gap, others, scenarios }: ClaimFinding) {
  const { id, quantity, operator, value, unit, condition, verify, source } = claim;
  return {
    ...{ id, quantity, operator, value, unit, condition, proof: verify, source },
    ...{ state, reason, gap, scenarios },
    observed: ruling?.observed ?? null,
    observedUnit: ruling?.metricUnit ?? null,
    judgedAs:
      ruling === null
        ? null
        : { op: ruling.op, limit: ruling.limit, metric: ruling.metric, stat: ruling.stat },
    others: others.map((one) => ({
      state: one.state,
      scenario: one.scenario,
      observed: one.ruling?.observed ?? null,
    })),
    ...(ruling?.observedAbove === undefined ? {} : { observedAbove: ruling.observedAbove }),
    run: run === null ? null : runJson(run),
  };
}
