import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { runCli } from '../../src/cli.ts';
import { memoryHost } from '../memory-host.ts';
import { ACTION, actionOf, root, type Step, textOf, WORKFLOWS, workflowOf } from './action-files.ts';

const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const actionlint = process.env.CAPBENCH_ACTIONLINT ?? 'actionlint';

/** Names after a prefix: `inputs.NAME`, `steps.ID`. */
const namesAfter = (prefix: string, text: string): readonly string[] => [
  ...new Set([...text.matchAll(new RegExp(`\\b${prefix}\\.([\\w-]+)`, 'g'))].map(([, name = '']) => name)),
];

/** Every step refers only to steps before it, and a script has no expression in it, which would be run as code. */
function checkSteps(steps: readonly Step[]): void {
  const before = new Set<string>();
  for (const step of steps) {
    expect(namesAfter('steps', JSON.stringify(step)).filter((id) => !before.has(id))).toEqual([]);
    expect(step.run ?? '').not.toContain('${{');
    if (step.id !== undefined) before.add(step.id);
  }
}

test.skipIf(!has(actionlint, '-version'))('actionlint finds nothing in the workflows', () => {
  const { status, stdout } = spawnSync(actionlint, [...WORKFLOWS], { cwd: root, encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

test.each(WORKFLOWS)('%s: least permissions, one run at a time, an end, and known steps', (file) => {
  const { permissions, concurrency, jobs } = workflowOf(file);
  expect(permissions).toBeDefined();
  expect(JSON.stringify(permissions)).not.toContain('write');
  expect(concurrency).toBeDefined();
  const { inputs } = actionOf();
  for (const { 'timeout-minutes': timeout, uses: called, steps = [] } of Object.values(jobs)) {
    if (called === undefined) expect(timeout).toBeLessThanOrEqual(120);
    checkSteps(steps);
    for (const { uses, with: given = {} } of steps) {
      if (uses !== './.github/actions/capbench') continue;
      expect(Object.keys(given).filter((name) => !Object.hasOwn(inputs, name))).toEqual([]);
      expect(Object.keys(given)).toContain('scenario');
    }
  }
});

test.each([ACTION, ...WORKFLOWS])(
  '%s: every action is pinned to a commit, with its version beside it',
  (file) => {
    const uses = [...textOf(file).matchAll(/uses: (.*)$/gm)].map(([, what = '']) => what);
    const loose = uses.filter(
      (what) => !what.startsWith('./') && !/^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what),
    );
    expect(loose).toEqual(file.endsWith('history.yml') ? ['bencherdev/bencher@v0.6.8'] : []);
  },
);

test('the action uses every input and output that it declares, and no other', () => {
  const { inputs, outputs, runs } = actionOf();
  checkSteps(runs.steps);
  const used = namesAfter('inputs', JSON.stringify(runs));
  expect(used.toSorted()).toEqual(Object.keys(inputs).toSorted());
  const ids = runs.steps.flatMap(({ id }) => id ?? []);
  for (const [, id = '', name = ''] of JSON.stringify({ outputs, runs }).matchAll(
    /\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g,
  )) {
    expect(ids).toContain(id);
    const step = runs.steps.find((one) => one.id === id);
    expect(step?.run, `${id} writes ${name}`).toMatch(new RegExp(`\\b${name}=`));
  }
  for (const { run, shell } of runs.steps) if (run !== undefined) expect(shell).toBe('bash');
});

const scripts = actionOf().runs.steps.flatMap(({ name = '', run }) =>
  run === undefined ? [] : [[name, run]],
);

test.skipIf(!has('shellcheck', '--version')).each(scripts)(
  'shellcheck finds nothing in the step "%s"',
  (_, run) => {
    const { status, stdout } = spawnSync('shellcheck', ['--shell=bash', '-'], {
      input: run,
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '']);
  },
);

test('the pipeline for GitLab runs capbench, keeps its files and lets only 90 pass as a warning', () => {
  const { capacity } = parse(textOf('fixtures/ci/gitlab-ci.yml'));
  const { script, artifacts, allow_failure: allowed } = capacity;
  const run = script.find((line: string) => line.includes('capbench run'));
  expect(run).toContain(`--junit ${artifacts.reports.junit}`);
  expect(artifacts).toMatchObject({ when: 'always', paths: ['capbench/'] });
  expect(allowed).toEqual({ exit_codes: [90] });
});

test.each(['fixtures/ci/gitlab-ci.yml', 'fixtures/ci/Jenkinsfile', ACTION, ...WORKFLOWS])(
  '%s: every option that it gives to capbench exists',
  async (file) => {
    const lines = [...textOf(file).matchAll(/\bcapbench (run|duet|compare|report)\b(.*)$/gm)];
    const unknown: string[] = [];
    for (const [, verb = '', rest = ''] of lines) {
      const host = memoryHost([verb, '--help']);
      await runCli(host);
      const options = [...rest.matchAll(/(?<= )--[a-z][\w-]*/g)].map(([option]) => option);
      unknown.push(...options.filter((option) => !host.out().includes(option)));
    }
    expect(unknown).toEqual([]);
  },
);
