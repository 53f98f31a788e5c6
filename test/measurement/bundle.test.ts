import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  makeBundle,
  pointLatest,
  readBundle,
  readLogTail,
  refuseOtherOperations,
  writeArtefact,
} from '../../src/measurement/bundle.ts';
import { parseMeasurements } from '../../src/measurement/read-measurements.ts';
import { Redaction } from '../../src/redaction.ts';
import { failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';

let out = '';
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'capbench-test-'));
});
afterEach(() => rm(out, { recursive: true, force: true }));

/** A redaction without secrets. */
const nothing = new Redaction();
const AT = new Date('2026-11-21T11:30:00.250Z');

test('a bundle is named after scenario and time, and a second one at the same time has a suffix', async () => {
  const inside = join(out, 'deep', 'reports');
  expect(basename(await makeBundle(inside, 'quickstart', AT))).toBe('quickstart-20261121T113000Z');
  expect(basename(await makeBundle(inside, 'quickstart', AT))).toBe('quickstart-20261121T113000Z-2');
});

test('a scenario name that contains a path stays inside the folder', async () => {
  expect(basename(await makeBundle(out, '../../etc/passwd', AT))).toBe('-..-etc-passwd-20261121T113000Z');
  expect(await readdir(out)).toHaveLength(1);
});

test('files are written completely or not at all, into new folders, and never outside the bundle', async () => {
  const bundle = await makeBundle(out, 'a', AT);
  await writeArtefact(bundle, 'charts/latency.png', new Uint8Array([1, 2, 3]), nothing);
  await writeArtefact(bundle, 'report.json', '{}', nothing);
  await writeArtefact(bundle, 'report.json', '{"again":1}', nothing);
  expect(await readFile(join(bundle, 'report.json'), 'utf8')).toBe('{"again":1}');
  expect((await readdir(bundle, { recursive: true })).sort()).toEqual([
    'charts',
    'charts/latency.png',
    'report.json',
  ]);
  await expect(writeArtefact(bundle, '../report.json', '', nothing)).rejects.toThrow(
    'not a path inside a bundle',
  );
});

test('secrets are removed from a text, and a picture that contains one is left out', async () => {
  const redaction = Redaction.of([], { PGPASSWORD: 's3cret-4711' });
  const bundle = await makeBundle(out, 'a', AT);
  expect(await writeArtefact(bundle, 'logs/a.log', 'user ann, s3cret-4711\n', redaction)).toBeNull();
  expect(await readFile(join(bundle, 'logs/a.log'), 'utf8')).toBe('user ann, (redacted)\n');
  const picture = Buffer.concat([Buffer.from([0x89, 0x50, 0, 0xff]), Buffer.from('s3cret-4711')]);
  const warning = await writeArtefact(bundle, 'charts/a.png', picture, redaction);
  expect(warning).toContain('charts/a.png was not written');
  expect(warning).toContain('PGPASSWORD');
  expect(warning).not.toContain('s3cret');
  expect((await readdir(bundle, { recursive: true })).sort()).toEqual(['logs', 'logs/a.log']);
});

test('a link or a pipe in the place of a temporary file is neither followed nor waited for', async () => {
  const bundle = await makeBundle(out, 'a', AT);
  await writeFile(join(out, 'mine'), 'mine');
  await symlink(join(out, 'mine'), join(bundle, 'report.json.tmp'));
  await writeArtefact(bundle, 'report.json', '{}', nothing);
  expect(await readFile(join(out, 'mine'), 'utf8')).toBe('mine');
  execFileSync('mkfifo', [join(bundle, 'junit.xml.tmp')]);
  await writeArtefact(bundle, 'junit.xml', '<x/>', nothing);
  expect((await readdir(bundle)).sort()).toEqual(['junit.xml', 'report.json']);
});

test('latest points to the newest bundle, by a relative link', async () => {
  const first = await makeBundle(out, 'a', AT);
  const second = await makeBundle(out, 'a', AT);
  expect(await pointLatest(first)).toBeNull();
  expect(await pointLatest(second)).toBeNull();
  expect(await readlink(join(out, 'latest'))).toBe(basename(second));
  expect((await readdir(out)).sort()).toEqual([basename(first), basename(second), 'latest'].sort());
});

test('a latest that cannot be a link is a warning', async () => {
  const bundle = await makeBundle(out, 'a', AT);
  await writeArtefact(join(out, 'latest'), 'something', 'in the way', nothing);
  expect(await pointLatest(bundle)).toContain('is not a link');
  expect((await readdir(out)).sort()).toEqual([basename(bundle), 'latest'].sort());
});

test('an existing file named latest is left unchanged, and a folder under /proc is refused at once', async () => {
  const bundle = await makeBundle(out, 'a', AT);
  await writeFile(join(out, 'latest'), 'mine');
  expect(await pointLatest(bundle)).toContain('is not a link');
  expect(await readFile(join(out, 'latest'), 'utf8')).toBe('mine');
  await expect(makeBundle('/proc/capbench/x', 'a', AT)).rejects.toMatchObject({ exitCode: 104 });
});

test('a folder that cannot be created is bad input, and the error names it', async () => {
  await writeFile(join(out, 'file'), '');
  await expect(makeBundle(join(out, 'file'), 'a', AT)).rejects.toMatchObject({
    exitCode: 104,
    message: expect.stringContaining(join(out, 'file')),
  });
});

test('of a long log the last complete lines are kept', async () => {
  const log = join(out, 'postgres.log');
  await writeFile(log, 'first line\nsecond line\nthird line\n');
  expect(await readLogTail(log)).toBe('first line\nsecond line\nthird line\n');
  expect(await readLogTail(log, 15)).toBe('[the first 19 bytes were cut]\nthird line\n');
});

test('the bundles of a complete run and of a failed one can be read back', async () => {
  for (const measurements of [measurementsOf(), failedRun()]) {
    await writeArtefact(out, 'measurements.json', JSON.stringify(measurements), nothing);
    await writeArtefact(out, 'scenario.yaml', 'name: recorded\n', nothing);
    const read = await readBundle(out);
    expect(read.measurements).toEqual(measurements);
    expect(Buffer.from(read.scenarioBytes).toString()).toBe('name: recorded\n');
  }
});

const refused = async (file: string): Promise<string> => {
  try {
    await readBundle(out);
  } catch (error) {
    expect(error).toMatchObject({ exitCode: 104, message: expect.stringContaining(join(out, file)) });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('the bundle was read');
};

test('a missing, damaged or huge file is named', async () => {
  expect(await refused('measurements.json')).toContain('does not exist');

  await writeFile(join(out, 'measurements.json'), '{"schemaVersion":1,');
  expect(await refused('measurements.json')).toContain('not JSON');

  await writeFile(join(out, 'measurements.json'), JSON.stringify({ ...measurementsOf(), peakCcu: 'many' }));
  expect(await refused('measurements.json')).toContain('peakCcu');

  await writeFile(
    join(out, 'measurements.json'),
    Buffer.from(JSON.stringify(measurementsOf({ engine: '\u00e9' })), 'latin1'),
  );
  expect(await refused('measurements.json')).toContain('no UTF-8');

  await truncate(join(out, 'measurements.json'), 300 * 2 ** 20);
  expect(await refused('measurements.json')).toContain('at most');

  await writeFile(join(out, 'measurements.json'), JSON.stringify(measurementsOf()));
  expect(await refused('scenario.yaml')).toContain('does not exist');
});

test("measurements whose operations differ from the scenario's are refused", () => {
  const m = measurementsOf();
  refuseOtherOperations(out, m, scenarioOf());
  expect(() =>
    refuseOtherOperations(out, { operations: { roll: m.operations.intent } }, scenarioOf()),
  ).toThrow('of the operations roll, expected intent, monsterCommand');
});

test('of many problems only the first few are reported', () => {
  const parsed = parseMeasurements('{"schemaVersion":2}');
  if (parsed.state === 'valid') throw new Error('it was taken');
  expect(parsed.problems).toHaveLength(4);
  expect(parsed.problems[0]).toContain('schemaVersion');
  expect(parsed.problems[3]).toMatch(/^and \d+ more$/);
});

test('a number that is not finite is refused in every spelling', () => {
  const text = JSON.stringify(measurementsOf()).replace('"peakCcu":1000', '"peakCcu":1e999');
  expect(parseMeasurements(text).state).toBe('invalid');
});
