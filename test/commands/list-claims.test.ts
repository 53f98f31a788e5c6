import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../src/cli.ts';
import { foundText } from '../../src/report/claims-text.ts';
import type { ReportRuling } from '../../src/report/report.ts';
import { MULBERRY_STEP, mulberry32 } from '../../src/rng.ts';
import { measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { memoryHost } from '../memory-host.ts';
import { NASTY, reportFrom } from '../report/report-of.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** What `--json` prints, as far as the tests look at it. */
const counts = z.object({
  ...{ all: z.number(), met: z.number(), breached: z.number() },
  ...{ contradicted: z.number(), unmeasured: z.number(), untestable: z.number() },
});
const run = z.object({
  scenario: z.string(),
  bundle: z.string(),
  exitCode: z.number(),
  altered: z.string().array(),
});
const listed = z.object({
  bundles: z.string(),
  documents: z.array(
    z.object({
      ...{ system: z.string(), document: z.string(), counts, byProof: z.record(z.string(), counts) },
      ...{ inNoScenario: z.string().array(), gaps: z.record(z.string(), z.number()) },
      findings: z
        .array(
          z.object({
            ...{ id: z.string(), proof: z.string(), state: z.string(), reason: z.string().nullable() },
            observed: z.union([z.number(), z.string()]).nullable(),
            ...{ run: run.nullable(), scenarios: z.string().array(), gap: z.string().nullable() },
            others: z.array(z.object({ state: z.string(), scenario: z.string() })),
          }),
        )
        .optional(),
    }),
  ),
  runs: z.array(run.extend({ counts: z.boolean() })),
});

const recorded = reportFrom(measurementsOf(), scenarioOf());
const FIRST = recorded.rulings[0]!;

const ruling = (
  claim: string,
  state: ReportRuling['state'],
  over: Partial<ReportRuling> = {},
): ReportRuling => ({
  ...FIRST,
  ...{
    id: claim,
    claim,
    state,
    observed: 17,
    reason: state === 'met' || state === 'breached' ? null : `${state} here`,
  },
  ...over,
});

/** Writes a bundle as far as this command reads it. */
function bundle(
  folder: string,
  name: string,
  over: Partial<typeof recorded> & { readonly scenario: string },
): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'report.json'), JSON.stringify({ ...recorded, ...over }));
}

async function list(...args: readonly string[]) {
  const host = memoryHost(['list', '--claims', ...args]);
  const exitCode = await runCli(host);
  return { exitCode, out: host.out(), err: host.err() };
}

/** The findings of a document, by id. */
async function findingsOf(document: string, folder: string) {
  const { exitCode, out, err } = await list(document, '--out', folder, '--json');
  expect(exitCode).toBe(0);
  const { documents, runs } = listed.parse(JSON.parse(out));
  expect(documents).toHaveLength(1);
  const findings = new Map(documents[0]!.findings?.map((one) => [one.id, one]));
  return { ...documents[0]!, of: (id: string) => findings.get(id)!, findings, runs, err };
}

const claimsFile = z.object({
  systems: z.record(
    z.string(),
    z.object({ document: z.string(), claims: z.array(z.object({ id: z.string(), verify: z.string() })) }),
  ),
});
const { systems } = claimsFile.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/claims.json'), 'utf8')),
);

test('without a bundle each claim of each document is counted once, as the scenarios have it', async () => {
  const folder = temporaryFolder();
  const { exitCode, out, err } = await list('--out', folder, '--json');
  expect([exitCode, err]).toEqual([0, '']);
  const { documents, runs } = listed.parse(JSON.parse(out));
  expect(runs).toEqual([]);
  expect(documents.map(({ document }) => document)).toEqual(
    Object.values(systems).map((one) => one.document),
  );
  for (const { system, counts: all, byProof, findings } of documents) {
    const claims = systems[system]!.claims;
    expect(findings).toBeUndefined();
    expect(all).toMatchObject({ all: claims.length, met: 0, breached: 0 });
    expect(all.contradicted + all.unmeasured + all.untestable).toBe(claims.length);
    const kinds = [...new Set(claims.map(({ verify }) => verify))];
    expect(Object.keys(byProof).toSorted()).toEqual(kinds.toSorted());
    for (const kind of kinds) {
      expect(byProof[kind]?.all).toBe(claims.filter(({ verify }) => verify === kind).length);
    }
  }
  const flux = await findingsOf('flux-single-host.md', folder);
  expect(flux.inNoScenario).toEqual([]);
  // Of the document itself, of a budget that only a run decides, and of what no run can test.
  expect(flux.of('FLX-132')).toMatchObject({ state: 'contradicted', run: null, observed: null });
  expect(flux.of('FLX-117')).toMatchObject({ state: 'contradicted' });
  expect(flux.of('FLX-147')).toMatchObject({
    ...{ state: 'unmeasured', reason: 'm4pro-20k was never run', scenarios: ['m4pro-20k'] },
    gap: 'never run',
  });
  expect(flux.of('FLX-161')).toMatchObject({ state: 'untestable', reason: 'price: prices of vendors' });
});

test('the folder of bundles need not exist, unless it is named', async () => {
  const folder = temporaryFolder();
  const host = memoryHost(['list', '--claims'], { cwd: folder });
  expect(await runCli(host)).toBe(0);
  expect(host.out()).toContain('No run in reports has ruled a claim');
  expect(await list('--out', join(folder, 'nowhere'))).toMatchObject({
    ...{ exitCode: 104, out: '', err: expect.stringContaining('nowhere cannot be read') },
  });
  const byVariable = memoryHost(['list', '--claims'], { env: { CAPBENCH_OUT: join(folder, 'nowhere') } });
  expect(await runCli(byVariable)).toBe(0);
});

test('a breach counts before contradicted, that before a met, that before unmeasured, untestable last', async () => {
  const folder = temporaryFolder();
  const states = ['untestable', 'unmeasured', 'met', 'contradicted', 'breached'] as const;
  // Each state beside all that it comes before; FLX-161 is untestable in its scenario, too.
  const ids = ['FLX-161', 'FLX-162', 'FLX-163', 'FLX-165', 'FLX-168'];
  for (const [i, state] of states.entries()) {
    bundle(folder, `run-${i}`, {
      scenario: `of-${state}`,
      startedAt: `2026-11-2${i}T10:00:00.000Z`,
      rulings: ids.slice(i).map((id) => ruling(id, state)),
    });
  }
  const { of, counts: all } = await findingsOf('flux', folder);
  expect(ids.map((id) => of(id).state)).toEqual(states);
  expect(of('FLX-168').run).toMatchObject({ scenario: 'of-breached' });
  expect(all).toMatchObject({ met: 1, breached: 1 });
});

test('of several runs of a scenario the newest with a conclusion counts', async () => {
  const folder = temporaryFolder();
  const of = (startedAt: string, state: 'met' | 'breached', over: Partial<typeof recorded> = {}) =>
    bundle(folder, `m4pro-20k-${startedAt}`, {
      ...{ scenario: 'm4pro-20k', startedAt, outcome: 'fail', exitCode: 99 },
      ...{ rulings: [ruling('FLX-147', state), ruling('FLX-144', 'met')] },
      ...over,
    });
  of('2026-11-21T10:00:00.000Z', 'breached');
  of('2026-11-22T10:00:00.000Z', 'met');
  // The link to the newest is not another bundle.
  symlinkSync('m4pro-20k-2026-11-21T10:00:00.000Z', join(folder, 'latest'));
  const before = await findingsOf('flux-single-host', folder);
  expect(before.of('FLX-147')).toMatchObject({ state: 'met', observed: 17, run: { scenario: 'm4pro-20k' } });
  expect(before.runs).toHaveLength(1);
  // A claim of the scenario that its run had no ruling for is not decided by it.
  expect(before.of('FLX-159')).toMatchObject({
    ...{ state: 'unmeasured', reason: 'the run of m4pro-20k did not rule it', gap: 'no figure' },
  });
  // One that came to no conclusion says nothing, and takes nothing back; but it is shown.
  of('2026-11-23T10:00:00.000Z', 'breached', { outcome: 'invalid', exitCode: 90 });
  const after = await findingsOf('flux-single-host', folder);
  expect(after.of('FLX-147')).toMatchObject({ state: 'met', observed: 17 });
  expect(after.runs.map(({ exitCode, counts: does }) => [exitCode, does])).toEqual([
    [99, true],
    [90, false],
  ]);
  const { out } = await list('flux', '--out', folder);
  expect(out.replaceAll(/\s+/g, ' ')).toContain('invalid (90) rules nothing: no conclusion 2026-11-23');
});

test('where no run of a scenario had a conclusion, its claims are unmeasured, and the run is named', async () => {
  const folder = temporaryFolder();
  for (const exitCode of [105, 93, 90])
    bundle(folder, `run-${exitCode}`, {
      ...{ scenario: 'm4pro-20k', outcome: 'invalid', exitCode },
      startedAt: `2026-11-21T10:00:${exitCode % 60}.000Z`,
      rulings: [ruling('FLX-147', 'breached'), ruling('FLX-144', 'met')],
    });
  const { of, counts: all, gaps } = await findingsOf('flux', folder);
  for (const id of ['FLX-147', 'FLX-144'])
    expect(of(id)).toMatchObject({
      ...{ state: 'unmeasured', run: null, observed: null, gap: 'no conclusion' },
      reason: 'the last run of m4pro-20k had no conclusion (105)',
    });
  expect(all).toMatchObject({ met: 0, breached: 0 });
  // The claims of the proxy are of another scenario.
  const { 'never run': others = 0, 'no conclusion': own = 0 } = gaps;
  expect([others > 0, own > 0, others + own]).toEqual([true, true, all.unmeasured]);
  expect(of('FLX-132').state).toBe('contradicted');
});

test('a run of another stack says nothing of the documented one; another load counts only where there is no run of the own one', async () => {
  const folder = temporaryFolder();
  const of = (hour: number, altered: readonly string[], observed: number) =>
    bundle(folder, `run-${hour}`, {
      ...{ scenario: 'm4pro-20k', altered: [...altered], startedAt: `2026-11-21T${hour}:00:00.000Z` },
      rulings: [ruling('FLX-144', 'breached', { observed })],
    });
  of(15, ['world.heap=1GB'], 15);
  const stack = await findingsOf('flux', folder);
  expect(stack.of('FLX-144')).toMatchObject({ state: 'unmeasured', gap: 'another stack', run: null });
  of(14, ['load.players=400'], 14);
  expect((await findingsOf('flux', folder)).of('FLX-144')).toMatchObject({ state: 'breached', observed: 14 });
  of(13, [], 13);
  of(12, [], 12);
  const { of: found, runs } = await findingsOf('flux', folder);
  expect(found('FLX-144')).toMatchObject({ state: 'breached', observed: 13 });
  expect(runs.map(({ altered, counts: does }) => [altered, does])).toEqual([
    [[], true],
    [['world.heap=1GB'], false],
  ]);
});

test('what two scenarios say of a claim is both told, and a contradiction found later stands', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'a', { scenario: 'mine', rulings: [ruling('FLX-144', 'met', { observed: 99.5 })] });
  bundle(folder, 'b', {
    scenario: 'm4pro-20k',
    rulings: [ruling('FLX-144', 'breached'), ruling('FLX-145', 'met')],
  });
  const { of } = await findingsOf('flux', folder);
  expect(of('FLX-144')).toMatchObject({ state: 'breached', others: [{ state: 'met', scenario: 'mine' }] });
  expect(of('FLX-145')).toMatchObject({
    state: 'contradicted',
    others: [{ state: 'met', scenario: 'm4pro-20k' }],
  });
  const { out } = await list('flux', '--out', folder);
  expect(out.replaceAll(/\s+/g, ' ')).toMatch(/FLX-144 breached .* but met in mine \(99\.5/);
});

test('a bundle may be named itself, also by the link to the newest', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'run', { scenario: 'm4pro-20k', rulings: [ruling('FLX-144', 'met')] });
  symlinkSync('run', join(folder, 'latest'));
  for (const name of ['run', 'latest'])
    expect((await findingsOf('flux', join(folder, name))).of('FLX-144').state).toBe('met');
});

test('only runs of the document that was asked for are listed, also of earlier versions, which do not name their system', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'realm', { scenario: 'r', system: undefined, rulings: [ruling('SHR-017', 'met')] });
  bundle(folder, 'flux', { scenario: 'f', system: undefined, rulings: [ruling('FLX-144', 'met')] });
  expect((await findingsOf('flux', folder)).runs.map(({ scenario }) => scenario)).toEqual(['f']);
});

test('whatever runs there are, each claim is counted once, and each that is unmeasured has one reason', async () => {
  const folder = temporaryFolder();
  const states = ['met', 'breached', 'contradicted', 'unmeasured', 'untestable'] as const;
  const outcomes = [
    ['pass', 0],
    ['fail', 99],
    ['invalid', 90],
  ] as const;
  let drawn = 16;
  const random = (): number => {
    drawn += MULBERRY_STEP;
    return mulberry32(drawn);
  };
  const of = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const shipped = { flux: ['m4pro-20k'], realm: ['realm-10', 'realm-50'] };
  for (const [system, names] of Object.entries(shipped))
    for (let i = 0; i < 12; i++) {
      const [outcome, exitCode] = of(outcomes);
      bundle(folder, `${system}-${i}`, {
        ...{ scenario: of([...names, 'mine']), system, outcome, exitCode },
        startedAt: new Date(1.8e12 + Math.floor(random() * 1e9)).toISOString(),
        altered: of([[], ['load.players=1'], ['world.heap=1GB']]),
        rulings: systems[system]!.claims.filter(() => random() < 0.4).map(({ id }) => ruling(id, of(states))),
      });
    }
  const { documents } = listed.parse(JSON.parse((await list('--out', folder, '--json')).out));
  for (const { system, counts: all, gaps } of documents) {
    if (!Object.hasOwn(shipped, system)) continue;
    const { findings = new Map(), counts: own } = await findingsOf(system, folder);
    expect(own).toEqual(all);
    const found = [...findings.values()];
    for (const state of states) expect(found.filter((one) => one.state === state)).toHaveLength(all[state]);
    expect(found).toHaveLength(systems[system]!.claims.length);
    expect(Object.values(gaps).reduce((sum, count) => sum + count, 0)).toBe(all.unmeasured);
    for (const one of found) {
      expect(one.gap !== null, one.id).toBe(one.state === 'unmeasured');
      if (one.state !== 'met' && one.state !== 'breached') expect(one.reason, one.id).not.toBeNull();
      if (one.gap === 'in no scenario') expect(one.scenarios).toEqual([]);
    }
  }
});

test('a run of another system rules no claim; one of an earlier version, which does not name it, does', async () => {
  const folder = temporaryFolder();
  const rulings = [ruling('FLX-144', 'met'), ruling('FLX-147', 'met')];
  bundle(folder, 'own', { scenario: 'own', system: 'own', rulings });
  expect(await findingsOf('flux', folder)).toMatchObject({ counts: { met: 0 }, runs: [] });
  bundle(folder, 'earlier', { scenario: 'earlier', system: undefined, rulings: rulings.slice(1) });
  const { counts: all, of } = await findingsOf('flux', folder);
  expect([all.met, of('FLX-147').run?.scenario]).toEqual([1, 'earlier']);
});

test('a scenario of another system that has the same name was not run by that', async () => {
  const folder = temporaryFolder();
  const claim = systems.mud!.claims[0]!.id;
  bundle(folder, 'namesake', { scenario: 'm4pro-20k', system: 'mud', rulings: [ruling(claim, 'met')] });
  const { documents, runs } = listed.parse(JSON.parse((await list('--out', folder, '--json')).out));
  expect(runs).toHaveLength(1);
  const { gaps } = documents.find(({ system }) => system === 'flux')!;
  expect(gaps['never run']).toBeGreaterThan(0);
  expect(gaps['no figure']).toBeUndefined();
});

test('of what is unmeasured the figure is told, and no margin, which would say that it is met or breached', () => {
  const found = (state: ReportRuling['state']): string => foundText({ ruling: ruling('FLX-144', state) });
  expect(found('breached')).toContain('the limit');
  expect(found('unmeasured')).toMatch(/^17( \S+)?$/);
});

test('what a run found untestable on its host is not hidden by its own scenario', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'run', { scenario: 'm4pro-20k', rulings: [ruling('FLX-025', 'untestable')] });
  const { of } = await findingsOf('flux', folder);
  expect(of('FLX-025')).toMatchObject({ state: 'untestable', reason: 'untestable here' });
});

test('an altered run counts, and is marked', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'set', {
    ...{ scenario: 'm4pro-20k', altered: ['load.players=400'] },
    rulings: [ruling('FLX-144', 'met')],
  });
  bundle(folder, 'scaled', {
    ...{ scenario: 'other', load: { ...recorded.load, scale: 0.25 } },
    rulings: [ruling('FLX-159', 'breached')],
  });
  const { of } = await findingsOf('flux', folder);
  expect(of('FLX-144')).toMatchObject({ state: 'met', run: { altered: ['load.players=400'] } });
  const { out } = await list('flux', '--out', folder);
  const text = out.replaceAll(/\s+/g, ' ');
  expect(text).toMatch(
    /FLX-144 met .*m4pro-20k, 2026-11-21 11:30:00 UTC, altered; Example CPU @ 2\.50GHz, 2 cores/,
  );
  expect(text).toMatch(/FLX-159 breached .*other, 2026-11-21 11:30:00 UTC, altered/);
  expect(text).toContain('scale 1, altered: load.players=400');
  expect(text).toContain('scale 0.25');
});

test('trials are runs, of which the newest counts', async () => {
  const folder = temporaryFolder();
  for (const [i, state] of (['met', 'breached'] as const).entries()) {
    bundle(join(folder, 'quickstart-1', 'trials'), String(i + 1), {
      ...{ scenario: 'quickstart', startedAt: `2026-11-2${i}T10:00:00.000Z` },
      rulings: [ruling('FLX-144', state)],
    });
  }
  writeFileSync(join(folder, 'quickstart-1', 'trials.json'), '{}');
  expect((await findingsOf('flux', folder)).of('FLX-144').state).toBe('breached');
});

test('a bundle that cannot be read is named in one line and left out; any other folder is none', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'good', { scenario: 'm4pro-20k', rulings: [ruling('FLX-144', 'met')] });
  bundle(folder, 'newer', {
    scenario: 'm4pro-20k',
    schemaVersion: 2 as 1,
    startedAt: '2027-01-01T00:00:00.000Z',
  });
  const write = (name: string, file: string, text: string): void => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, file), text);
  };
  write('half', 'report.json', '{"schemaVersion": 1, "scen');
  write('killed', 'measurements.json', '{}');
  write('notes', 'todo.txt', 'nothing of a run');
  const { of, err } = await findingsOf('flux', folder);
  expect(of('FLX-144')).toMatchObject({ state: 'met' });
  const lines = err.trimEnd().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^warning: .*half is left out: report\.json is broken: /);
  expect(lines[1]).toMatch(/^warning: .*killed is left out: report\.json does not exist/);
  expect(lines[2]).toMatch(/^warning: .*newer is left out: .*schemaVersion/);
});

test('a line of counts for each document and kind of proof, and of one document each claim', async () => {
  const folder = temporaryFolder();
  const all = await list('--out', folder);
  expect(all.exitCode).toBe(0);
  const rows = all.out.split('\n').map((line) => line.trim().split(/\s+/));
  for (const { document, claims } of Object.values(systems)) {
    const row = rows.find(([first]) => first === document.replace('.md', ''))!;
    expect(Number(row[1])).toBe(claims.length);
    expect(row.slice(2).reduce((sum, count) => sum + Number(count), 0)).toBe(claims.length);
  }
  expect(all.out).not.toContain('FLX-147');
  const one = await list('flux', '--out', folder);
  // A port is a name: it has no thousands, and no unit.
  expect((await list('massless', '--out', folder)).out).toMatch(/^MSL-002 .* game server port = 2567 \(/m);
  for (const { id } of systems.flux!.claims) expect(one.out).toMatch(new RegExp(`^${id} `, 'm'));
  expect(one.out).toMatch(/^FLX-147 +unmeasured +cache efficiency > 95% \(“Monitoring/m);
  expect(one.out.split('\n').every((line) => line.length <= 80)).toBe(true);
});

test('an unknown document is refused with the names of all', async () => {
  const { exitCode, out, err } = await list('flux-singel-host.md');
  expect([exitCode, out]).toEqual([104, '']);
  for (const { document } of Object.values(systems)) expect(err).toContain(document);
  expect(err).toContain('did you mean flux-single-host.md?');
});

test('what goes only with --claims is refused without it', async () => {
  const host = memoryHost(['list', '--html', 'page.html']);
  expect(await runCli(host)).toBe(104);
  expect(host.err()).toContain('list: --html is only for --claims');
});

test('the page and the Markdown have every claim, and take all text for text', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'run', {
    ...{ scenario: NASTY, altered: [NASTY], host: { ...recorded.host, cpuModel: NASTY } },
    rulings: [
      ruling('FLX-144', 'breached', { title: NASTY, observed: NASTY, reason: NASTY }),
      ruling('FLX-159', 'met'),
    ],
  });
  const [page, markdown] = [join(folder, 'out', 'a.html'), join(folder, 'out', 'a.md')];
  const { exitCode } = await list('--out', folder, '--html', page, '--markdown', markdown);
  expect(exitCode).toBe(0);
  const [html, md] = [readFileSync(page, 'utf8'), readFileSync(markdown, 'utf8')];
  const ids = Object.values(systems).flatMap(({ claims }) => claims.map(({ id }) => id));
  for (const id of ids) {
    expect(html, id).toContain(`<code>${id}</code>`);
    expect(md, id).toMatch(new RegExp(`^\\| \\S+ \\w+ \\| ${id} \\| .* \\|$`, 'm'));
  }
  expect(html).not.toContain('<script');
  expect(html.match(/<tr class="(?:met|breached|contradicted|unmeasured|untestable)">/g)).toHaveLength(
    ids.length,
  );
  expect(html).toContain('&lt;script&gt;');
  expect(md).not.toContain('<script');
  // A table that somebody's text has not broken: as many cells in each row as in its head.
  const cells = (line: string): number => line.replaceAll(/\\./g, '').split('|').length;
  let width = 0;
  for (const line of md.split('\n')) {
    width = line.startsWith('|') ? width || cells(line) : 0;
    if (width > 0) expect(cells(line), line).toBe(width);
  }
});

test('a file that cannot be written, or is a report that is read, is refused before anything is written', async () => {
  const folder = temporaryFolder();
  bundle(folder, 'run', { scenario: 'm4pro-20k', rulings: [ruling('FLX-144', 'met')] });
  const report = join(folder, 'run', 'report.json');
  const input = await list('--out', folder, '--html', report);
  expect(input).toMatchObject({ exitCode: 104, out: '', err: expect.stringContaining('is an input') });
  expect(existsSync(report)).toBe(true);
  const within = await list('--out', folder, '--markdown', folder);
  expect(within).toMatchObject({ exitCode: 104, out: '', err: expect.stringContaining('is a folder') });
  const below = await list('--out', folder, '--html', join(report, 'a.html'));
  expect(below).toMatchObject({ exitCode: 104, out: '', err: expect.stringContaining('cannot be written') });
});
