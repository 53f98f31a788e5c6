import { expect, test } from 'vitest';
import { type Annotation, runAnnotations, workflowCommands } from '../../src/report/annotations.ts';
import { budgetLines } from '../../src/scenario/budget-lines.ts';
import { BUDGETS, budget, failedRun, measurementsOf, scenarioOf } from '../fixtures/recorded-run.ts';
import { NASTY, nastyBudget, reportFrom } from './report-of.ts';

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** As the runner of GitHub Actions reads its commands: `::name key=value,key=value::message`, with the escapes of each part. */
function commandsIn(text: string): readonly Command[] {
  const decode = (value: string, more: Readonly<Record<string, string>> = {}): string =>
    Object.entries({ '%0D': '\r', '%0A': '\n', ...more, '%25': '%' }).reduce(
      (decoded, [coded, character]) => decoded.replaceAll(coded, character),
      value,
    );
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, name = '', list = '', message = ''] = /^::([a-z]+)(?: (.*?))?::(.*)$/.exec(line) ?? [];
      if (name === '') throw new Error(`no command: ${line}`);
      const properties = list.split(',').map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at), decode(pair.slice(at + 1), { '%3A': ':', '%2C': ',' })] as const;
      });
      return { name, properties: Object.fromEntries(properties), message: decode(message) };
    });
}

test('what separates in a command is escaped, and read back', () => {
  const annotation: Annotation = {
    level: 'error',
    title: 'a: b, c = 100% ::notice::',
    message: 'limit 5%, observed 7%0A: and so on',
    at: { file: 'worlds/a,b:c.yaml', line: 7 },
  };
  const text = workflowCommands([annotation]);
  expect(text).toBe(
    '::error file=worlds/a%2Cb%3Ac.yaml,line=7,title=a%3A b%2C c = 100%25 %3A%3Anotice%3A%3A::limit 5%25, observed 7%250A: and so on\n',
  );
  expect(commandsIn(text)).toEqual([
    {
      name: 'error',
      properties: { file: 'worlds/a,b:c.yaml', line: '7', title: annotation.title },
      message: annotation.message,
    },
  ]);
});

test('no text ends its line, and so begins another command', () => {
  const text = workflowCommands([
    { level: 'warning', title: 'x\r\n::error::injected', message: 'y\n::add-mask::z\u001b[31m' },
  ]);
  expect(text.split('\n')).toHaveLength(2);
  expect(commandsIn(text)).toHaveLength(1);
});

test.each([
  [10, 10, 'message 9'],
  [11, 10, 'and 2 more: see the summary'],
  [400, 10, 'and 391 more: see the summary'],
])('of %i of a level %i are written, and the last one says what is missing', (count, written, last) => {
  const level = 'warning' as const;
  const many = Array.from({ length: count }, (_, i) => ({ level, title: 't', message: `message ${i}` }));
  const commands = commandsIn(
    workflowCommands([{ level: 'notice', title: 't', message: 'verdict' }, ...many]),
  );
  expect(commands.filter(({ name }) => name === 'warning')).toHaveLength(written);
  expect(commands.filter(({ name }) => name === 'notice')).toHaveLength(1);
  expect(commands[written - 1]?.message).toBe(last);
});

const scenario = scenarioOf({ budgets: [...BUDGETS, nastyBudget] });

test('a pass is one notice', () => {
  const report = reportFrom(measurementsOf(), scenarioOf());
  expect(runAnnotations(report, null)).toEqual([
    { level: 'notice', title: 'recorded: PASS (0)', message: report.headline },
  ]);
});

test('a breach is an error for the verdict and one beside each budget', () => {
  const report = reportFrom(measurementsOf({ errors: [NASTY] }), scenario);
  expect(report.exitCode).toBe(99);
  const budgets = { file: 'worlds/mine.yaml', lines: new Map([[nastyBudget.id, 31]]) };
  const [verdict, breached, ...rest] = runAnnotations(report, budgets);
  expect(verdict).toMatchObject({
    ...{ level: 'error', title: 'recorded: FAIL (99)', at: { file: 'worlds/mine.yaml' } },
  });
  expect(breached).toMatchObject({ level: 'error', at: { file: 'worlds/mine.yaml', line: 31 } });
  expect(breached?.message).toMatch(/: limit < 1 ms, observed \d/);
  expect(rest).toEqual([]);
  expect(commandsIn(workflowCommands(runAnnotations(report, budgets)))).toHaveLength(2);
});

test.each([
  ['no stack', failedRun(), 93, 'error'],
  ['an interruption', measurementsOf({ ending: { state: 'interrupted', phase: 'measure' } }), 105, 'error'],
  ['no conclusion', measurementsOf({ probesAsked: ['postgres'], probes: [] }), 90, 'warning'],
] as const)('%s is not a breach', (_what, m, exitCode, level) => {
  const report = reportFrom(
    m,
    scenarioOf({ budgets: [budget({ id: 'p', metric: 'load.peakCcu', op: '>=' })] }),
  );
  expect(report.exitCode).toBe(exitCode);
  const [verdict, ...reasons] = runAnnotations(report, null);
  expect(verdict?.level).toBe(level);
  expect(reasons.map(({ message }) => message)).toEqual(report.invalidBecause);
});

test('a budget is found in its file by its id, or by its claim', () => {
  const yaml = [
    'name: mine',
    'budgets:',
    '  # of the document',
    '  - claim: FLX-151',
    '    metric: latency.intent.due',
    '  - { id: say-p95, metric: latency.say.due }',
    '  -',
    '    metric: load.peakCcu',
    '    id: "players"',
  ].join('\n');
  expect([...budgetLines('mine.yaml', Buffer.from(yaml))]).toEqual([
    ['FLX-151', 4],
    ['say-p95', 6],
    ['players', 8],
  ]);
  for (const other of ['budgets: none', 'budgets: [1, null]', '[]', '']) {
    expect(
      [...budgetLines('mine.yaml', Buffer.from(other)).keys()].filter((id) => id !== 'undefined'),
    ).toEqual([]);
  }
});
