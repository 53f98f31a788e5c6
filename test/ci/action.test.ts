import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { runAction } from './composite-runner.ts';

/** Stand-ins that write down how they are called: what is tested is what the action makes of their answers. */
const STAND_INS = {
  npm: 'echo "npm $*" >> "$CALLS"',
  // The first comment of a bot is 7 where there is one.
  gh: `echo "gh $*" >> "$CALLS"
case "$1 $2" in
  'run list') echo "$RUN_OF_MAIN" ;;
  'run download') mkdir -p "\${!#}/bundle" ;;
  *) case "$*" in *--paginate*) echo "$EARLIER_COMMENT" ;; esac ;;
esac`,
  capbench: `printf 'capbench' >> "$CALLS"; printf ' <%s>' "$@" >> "$CALLS"; echo >> "$CALLS"
case $1 in
  run | duet)
    code=$RUN_CODE
    while [ "$1" != --out ]; do shift; done
    if [ "$code" != 104 ]; then mkdir -p "$2/world-1"; ln -s world-1 "$2/latest"; fi
    exit "$code" ;;
  compare) case "$*" in *--out*) mkdir -p "\${!#}" ;; *) echo "$* of capbench" ;; esac; exit "$COMPARE_CODE" ;;
  report) echo "$* of capbench"; exit "\${REPORT_CODE:-$RUN_CODE}" ;;
esac`,
};

function act(
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  number = '12',
) {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(STAND_INS)) {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  writeFileSync(join(folder, 'world.yaml'), 'name: world\n');
  const calls = join(folder, 'calls');
  const ended = runAction({
    inputs: { scenario: './world.yaml', ...inputs },
    github: {
      'event.pull_request.number': number,
      token: 't0ken',
      'event.repository.default_branch': 'trunk',
    },
    ...{ bin, folder },
    env: { CALLS: calls, RUN_CODE: '0', COMPARE_CODE: '0', RUN_OF_MAIN: '', EARLIER_COMMENT: '', ...env },
  });
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
  return { ...ended, folder, calls: lines.map((line) => line.replaceAll(folder, '')) };
}

test('a run that passes has a summary, annotations and an artifact, and no comment unless it is asked for', () => {
  const { steps, outputs, summary, stdout, calls } = act({
    arguments: '--allow-start\n--set\nload.players=5 000\n',
  });
  expect(steps).toMatchObject({
    ...{ 'Run the scenario': 0, 'Summary and annotations': 0, Verdict: 0 },
    ...{ 'Fetch the baseline': 'skipped', 'Compare with the baseline': 'skipped' },
    ...{ 'Comment on the pull request': 'skipped', 'Set up Node.js': 'skipped' },
  });
  expect(calls[0]).toMatch(
    /^capbench <run> <.\/world.yaml> <--allow-start> <--set> <load.players=5 000> <--out> <\/capbench\.\w+\/reports>$/,
  );
  expect(outputs['exit-code']).toBe('0');
  expect(existsSync(outputs.bundle ?? '')).toBe(true);
  expect(summary).toMatch(/--format summary of capbench\n$/);
  expect(stdout).toMatch(/--format annotations --annotate \S+ of capbench\n/);
  expect(calls.find((line) => line.includes('<annotations>'))).toContain('<--annotate> <././world.yaml>');
  expect(steps['Upload the bundle']).toMatchObject({
    name: 'capbench',
    path: expect.stringMatching(/artifact$/),
  });
});

test.each([
  ['a breach', '99', {}, 99],
  ['no conclusion', '90', {}, 90],
  ['no conclusion, as a warning', '90', { inconclusive: 'warn' }, 0],
  ['lost data, whatever is inconclusive', '92', { inconclusive: 'warn' }, 92],
])('%s: reports are written, and the last step has the exit code', (_what, code, inputs, verdict) => {
  const { steps, outputs, summary } = act(inputs, { RUN_CODE: code });
  expect(steps).toMatchObject({ 'Run the scenario': 0, 'Summary and annotations': 0, Verdict: verdict });
  expect(outputs['exit-code']).toBe(code);
  expect(summary).not.toBe('');
});

test('bad input leaves no bundle: nothing is reported, and the job fails with 104', () => {
  const { steps, outputs } = act({ comment: 'true' }, { RUN_CODE: '104' });
  expect(steps).toMatchObject({
    ...{ 'Summary and annotations': 'skipped', 'Upload the bundle': 'skipped', Verdict: 104 },
    'Comment on the pull request': 'skipped',
  });
  expect(outputs.bundle).toBe('');
});

test('a report that cannot be made does not hide the verdict, nor pass', () => {
  const { steps } = act({}, { RUN_CODE: '99', REPORT_CODE: '104' });
  expect(steps).toMatchObject({ 'Summary and annotations': 1, 'Upload the bundle': {}, Verdict: 99 });
});

test.each([
  ['0', '91', 91],
  ['99', '91', 99],
  ['0', '90', 90],
  ['0', '0', 0],
])('a run that ends with %s and a comparison with %s are %i', (ran, compared, verdict) => {
  const { steps, calls, summary } = act(
    { baseline: 'main-bundle', 'compare-arguments': '--threshold\n3%' },
    { RUN_CODE: ran, COMPARE_CODE: compared },
  );
  expect(steps).toMatchObject({ 'Compare with the baseline': 0, Verdict: verdict });
  expect(calls[1]).toMatch(
    /^capbench <compare> <main-bundle> <.*\/artifact\/bundle> <--threshold> <3%> <--out>/,
  );
  expect(summary.split('of capbench')).toHaveLength(3);
  expect(summary.indexOf('compare ')).toBeLessThan(summary.indexOf('report '));
});

test('the baseline is the artifact of the newest successful run on the default branch', () => {
  const { calls, steps } = act({ 'baseline-artifact': 'capbench' }, { RUN_OF_MAIN: '4711' });
  expect(calls[0]).toContain(
    'gh run list --repo ann/world --workflow capacity.yml --branch trunk --status success',
  );
  expect(calls[1]).toMatch(/^gh run download 4711 --repo ann\/world --name capbench --dir/);
  expect(calls.find((line) => line.includes('<compare>'))).toMatch(/<\/capbench-baseline\.\w+\/bundle>/);
  expect(steps['Compare with the baseline']).toBe(0);
});

test('without an earlier run there is a warning, and nothing is compared', () => {
  const { stdout, steps } = act({ 'baseline-artifact': 'capbench' });
  expect(stdout).toContain(
    '::warning title=capbench::no baseline: this workflow has no successful run on trunk yet',
  );
  expect(steps).toMatchObject({ 'Compare with the baseline': 'skipped', Verdict: 0 });
});

test('with base-ref both versions run here, and no baseline is looked for', () => {
  const { calls, steps } = act({
    'base-ref': 'origin/main',
    'baseline-artifact': 'capbench',
    arguments: '--allow-start',
  });
  expect(calls[0]).toMatch(
    /^capbench <duet> <.\/world.yaml> <--base-ref> <origin\/main> <--allow-start> <--out>/,
  );
  expect(steps).toMatchObject({ 'Fetch the baseline': 'skipped', 'Compare with the baseline': 'skipped' });
});

test.each([
  ['', '--method POST repos/ann/world/issues/12/comments'],
  ['7\n9', '--method PATCH repos/ann/world/issues/comments/7'],
])('the comment is made once, and then updated: %j', (earlier, call) => {
  const { calls, steps } = act({ comment: 'true' }, { EARLIER_COMMENT: earlier });
  expect(steps['Comment on the pull request']).toBe(0);
  expect(calls.at(-1)).toContain(`gh api ${call} --field body=@`);
});

test('outside a pull request there is no comment', () => {
  expect(act({ comment: 'true' }, {}, '').steps['Comment on the pull request']).toBe('skipped');
});

test('a tarball is installed by its whole path, without scripts', () => {
  const { calls } = act({ package: 'world.yaml' });
  expect(calls[0]).toBe(
    'npm install --prefix /capbench-package --ignore-scripts --no-audit --no-fund /world.yaml',
  );
  expect(act({ package: 'capbench@0.1.0' }).calls[0]).toMatch(/ capbench@0\.1\.0$/);
});

test('no input is code', () => {
  const evil = '$(touch owned); `touch owned` "; touch owned; "';
  const { folder, calls } = act({ ...{ scenario: evil, arguments: evil, 'base-ref': '' }, baseline: evil });
  expect(existsSync(join(folder, 'owned'))).toBe(false);
  expect(calls[0]).toContain(`<run> <${evil}> <${evil}>`);
});
