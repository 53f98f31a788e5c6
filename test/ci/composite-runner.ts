import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { actionOf, type Step } from './action-files.ts';

/** What a job brings to the action. */
interface Job {
  readonly inputs: Readonly<Record<string, string>>;
  /** The context `github`, by paths such as `event.pull_request.number`. */
  readonly github?: Readonly<Record<string, string>>;
  /** Folders that come first on PATH. */
  readonly bin: string;
  /** An empty folder: the temporary one of the job, and its workspace. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Ended {
  /** By name, in order: an exit code, `skipped`, or what is used with which values. */
  readonly steps: Readonly<Record<string, number | 'skipped' | Readonly<Record<string, string>>>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: string;
}

/** Runs the scripts of the composite action one after the other with bash, as the runner of GitHub Actions does. */
export function runAction({ inputs: given, github = {}, bin, folder, env = {} }: Job): Ended {
  const { inputs, outputs, runs } = actionOf();
  const known = new Map<string, string>(
    Object.entries(github).map(([name, value]) => [`github.${name}`, value]),
  );
  const resultOf = (expression: string): unknown => evaluate(expression, known);
  for (const [name, { default: byDefault = '' }] of Object.entries(inputs)) {
    known.set(`inputs.${name}`, given[name] ?? textOf(byDefault, resultOf));
  }
  const file = (name: string): string => {
    const path = join(folder, name);
    writeFileSync(path, '', { flag: 'a' });
    return path;
  };
  const path = file('path');
  const summary = file('summary.md');
  const ended: { steps: Record<string, Ended['steps'][string]>; stdout: string; stderr: string } = {
    ...{ steps: {}, stdout: '', stderr: '' },
  };
  let failed = false;
  for (const [i, step] of runs.steps.entries()) {
    const name = step.name ?? `${i}`;
    const condition = step.if ?? 'true';
    if ((failed && !condition.includes('always()')) || !resultOf(condition)) {
      ended.steps[name] = 'skipped';
      continue;
    }
    if (step.uses !== undefined) {
      ended.steps[name] = mapped(step.with ?? {}, (text) => textOf(text, resultOf));
      continue;
    }
    const output = file(`output-${i}`);
    const script = join(folder, `script-${i}.sh`);
    writeFileSync(script, step.run ?? '');
    const own = mapped(step.env ?? {}, (text) => textOf(text, resultOf));
    const added = readFileSync(path, 'utf8').trimEnd().split('\n').toReversed();
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['--noprofile', '--norc', '-eo', 'pipefail', script],
      {
        ...{ cwd: join(folder, textOf(step['working-directory'] ?? '.', resultOf)), encoding: 'utf8' },
        env: {
          ...{ HOME: folder, RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder, GITHUB_REPOSITORY: 'ann/world' },
          GITHUB_WORKFLOW_REF: 'ann/world/.github/workflows/capacity.yml@refs/heads/main',
          ...{ GITHUB_OUTPUT: output, GITHUB_PATH: path, GITHUB_STEP_SUMMARY: summary },
          PATH: [bin, ...added, process.env.PATH].join(':'),
          ...env,
          ...own,
        },
      },
    );
    ended.stdout += stdout;
    ended.stderr += stderr;
    ended.steps[name] = status ?? -1;
    failed ||= status !== 0;
    if (step.id !== undefined) remember(step.id, status === 0, readFileSync(output, 'utf8'), known);
  }
  return {
    ...ended,
    outputs: mapped(outputs, ({ value }) => textOf(value, resultOf)),
    summary: readFileSync(summary, 'utf8'),
  };
}

function remember(
  id: NonNullable<Step['id']>,
  succeeded: boolean,
  output: string,
  known: Map<string, string>,
) {
  known.set(`steps.${id}.outcome`, succeeded ? 'success' : 'failure');
  for (const line of output.split('\n').filter((one) => one.includes('='))) {
    const at = line.indexOf('=');
    known.set(`steps.${id}.outputs.${line.slice(0, at)}`, line.slice(at + 1));
  }
}

const mapped = <T>(values: Readonly<Record<string, T>>, to: (value: T) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, to(value)]));

/** A text with expressions in it. */
const textOf = (text: string, resultOf: (expression: string) => unknown): string =>
  text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => String(resultOf(expression)));

/** An expression of contexts, strings, comparisons and `always()`, which reads the same in JavaScript. */
function evaluate(expression: string, known: ReadonlyMap<string, string>): unknown {
  const code = expression.replace(/'[^']*'|\b(?:inputs|steps|github)(?:\.[\w-]+)+|always\(\)/g, (token) => {
    if (token.startsWith("'")) return token;
    return token === 'always()' ? 'true' : JSON.stringify(known.get(token) ?? '');
  });
  return new Function(`return (${code});`)();
}
