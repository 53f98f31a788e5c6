import { describe, expect, test } from 'vitest';
import { scenarioHash } from '../../src/scenario/resolved.ts';
import { SYSTEMS } from '../../src/systems/registry.ts';
import { minimal, problemsOf, rates, read, workload, written } from './scenario-text.ts';

const MODULE = 'players: { module: ./a.mjs }\n';
const of = (operations: string, more = MODULE): string =>
  `name: quiz\nsystem: own\nload:\n  players: 100\n  operations: ${operations}\n${more}`;
const QUIZ = of(
  '{ create: { perSecond: 5 }, answer: { weight: 3 }, join: { weight: 1 }, ready: { due: answer } }',
);
const messagesOf = (...args: Parameters<typeof problemsOf>): readonly string[] =>
  problemsOf(...args).map(({ where, path, message }) => `${where} ${path}: ${message}`);

describe('the kinds of operations that a scenario names', () => {
  test('are its operations, in the order of the file', () => {
    const scenario = read(QUIZ);
    expect(scenario.operations).toMatchObject([
      { id: 'create', plural: 'create', label: 'create', actor: 'player', due: 'schedule' },
      { id: 'answer', due: 'schedule' },
      { id: 'join', due: 'schedule' },
      { id: 'ready', due: 'answer' },
    ]);
    expect(rates(scenario)).toEqual([5, 75, 25, 0]);
    expect(workload(scenario).operations.map(({ id, due, perSecond }) => [id, due, perSecond])).toEqual([
      ['create', 'schedule', 5],
      ['answer', 'schedule', 75],
      ['join', 'schedule', 25],
      ['ready', 'answer', 0],
    ]);
  });

  test('are the same in the resolved scenario of a bundle', () => {
    const scenario = read(QUIZ);
    const again = read(written(scenario));
    expect(again).toEqual(scenario);
    expect(scenarioHash(again)).toBe(scenarioHash(scenario));
    expect(SYSTEMS.systemOf(again).scenario.operations).toEqual(scenario.operations);
    expect(rates(read(QUIZ, { scale: 2 }))).toEqual([10, 150, 50, 0]);
    expect(read(QUIZ, { scale: 2 }).operations[3]?.due).toBe('answer');
  });

  test('can be changed and added by --set', () => {
    expect(rates(read(QUIZ, { set: ['load.operations.answer={perSecond: 9}'] }))).toEqual([5, 9, 100, 0]);
    const plain = of('{ answer: {} }');
    const scenario = read(plain, { set: ['load.operations.answer.perSecond=9'] });
    expect(rates(scenario)).toEqual([9]);
    expect(scenario.altered).toEqual(['load.operations.answer.perSecond=9']);
  });

  test('are not added by a --set that misspells one, but by one of the whole map', () => {
    const set = ['load.operations.answr.perSecond=9'];
    expect(messagesOf(QUIZ, { set })).toEqual([
      '--set load.operations.answr.perSecond=9 load.operations.answr: got "answr", expected a kind of the file: create, answer, join, ready',
    ]);
    expect(problemsOf(QUIZ, { set })[0]?.hint).toBe('did you mean answer?');
    expect(rates(read(QUIZ, { set: ['load.operations={other: {perSecond: 3}}'] }))).toEqual([3]);
  });

  test('may all follow from answers: nothing has a schedule then', () => {
    const scenario = read(of('{ a: { due: answer }, b: { due: answer } }'));
    expect(scenario.operations.map(({ due }) => due)).toEqual(['answer', 'answer']);
    expect(rates(scenario)).toEqual([0, 0]);
  });

  test('are one alone, intent, when it names none; a single one has a rate by default', () => {
    const none = read(`name: quiz\nsystem: own\nload: { players: 100, intentsPerSecond: 7 }\n${MODULE}`);
    expect(none.operations).toMatchObject([{ id: 'intent', plural: 'intents', label: 'intents' }]);
    expect(rates(none)).toEqual([7]);
    expect(rates(read(of('{ look: {} }')))).toEqual([100]);
    expect(rates(read(of('{ intent: {} }')))).toEqual([100]);
  });

  test('are those of own players in a world, beside its other actors', () => {
    const world = (load: string): string => minimal(`${load}${MODULE}`);
    const scenario = read(world('  operations: { look: { perSecond: 5 }, monsterCommand: {} }\n'));
    expect(scenario.operations.map(({ id }) => id)).toEqual(['look', 'monsterCommand']);
    expect(rates(scenario)).toEqual([5, 0]);
    expect(read(written(scenario))).toEqual(scenario);
    const aliased = read(
      world('  intentsPerSecond: 5\n  operations: { monsterCommand: { perSecond: 0 } }\n'),
    );
    expect(aliased.operations.map(({ id }) => id)).toEqual(['intent', 'monsterCommand']);
    const set = ['load.operations.monsterCommand.perSecond=0'];
    expect(rates(read(world('  operations: { look: { perSecond: 5 } }\n'), { set }))).toEqual([5, 0]);
  });

  test('have budgets, rejections and rates of their own', () => {
    const scenario = read(
      `${QUIZ}rules: { rejectedPercent: { join: 7 } }
budgets:
  - { id: a, metric: latency.answer.due, stat: p95, op: <, limit: 5, unit: ms }
  - { id: b, metric: load.operations.create.ok, op: '>=', limit: 5, unit: ops }
  - { id: c, metric: load.errorPercent.ready, op: <, limit: 5, unit: '%' }
  - { id: d, metric: throughput.answerPerSecond, op: '>=', limit: 5, unit: ops/s }
`,
    );
    expect(scenario.budgets.map((one) => one.state === 'measured' && one.metric.operation?.id)).toEqual([
      'answer',
      'create',
      'ready',
      'answer',
    ]);
    expect(scenario.rules.rejectedPercent).toEqual({ join: 7 });
  });
});

describe('refused, with the place', () => {
  const many = (n: number): string =>
    of(`{ ${Array.from({ length: n }, (_, i) => `k${i}: { perSecond: 1 }`).join(', ')} }`);

  test.each([
    [
      of('{ Look: {} }'),
      '5:17 load.operations.Look: got "Look", expected a kind\'s name: a lower-case letter',
    ],
    [of(`{ a${'b'.repeat(32)}: {} }`), "expected a kind's name"],
    [of('{ constructor: {} }'), 'got constructor, expected another name: every object has this one'],
    [
      of('{ operations: {} }'),
      '5:17 load.operations.operations: got operations, expected another name: throughput.operationsPerSecond is already another figure of report.json',
    ],
    [of('{ intent: { perSecond: 1 }, intents: { perSecond: 1 } }'), 'throughput.intentsPerSecond is already'],
    [of('{ a: { perSecond: 1 }, b: {} }'), '5:41 load.operations.b: got neither a rate nor a weight'],
    [
      of('{ a: { perSecond: 1 }, b: }'),
      'load.operations.b: got null, expected a map with the keys perSecond',
    ],
    [
      of('{ a: { perSecond: 1, due: answer } }'),
      'load.operations.a.due: got "answer", expected no due beside',
    ],
    [of('{ a: { weight: 1, due: answer } }'), 'load.operations.a.due: got "answer", expected no due beside'],
    [of('{ a: { due: schedule } }'), 'load.operations.a.due: got "schedule", expected answer'],
    [of('{ a: { every: 5 } }'), 'load.operations.a.every: unknown key "every"'],
    [of('5'), 'load.operations: got 5, expected a map with a key for each kind of operation'],
    [many(21), '5:15 load.operations: got 21 kinds of operations, expected 20 at most'],
    [many(5000), 'load.operations: got 5000 kinds of operations, expected 20 at most'],
    [
      of('{ a: {} }', `${MODULE}rules: { rejectedPercent: { b: 5 } }\n`),
      'rules.rejectedPercent.b: unknown key "b"',
    ],
    [
      `name: quiz\nsystem: own\n${MODULE}load: { players: 1, intentsPerSecond: 5, operations: { a: {} } }\n`,
      'load.intentsPerSecond: unknown key "intentsPerSecond"',
    ],
    [
      minimal(`  operations: { rowWrites: { perSecond: 5 } }\n${MODULE}`),
      'throughput.rowWritesPerSecond is already another figure',
    ],
    [
      minimal(`  operations: { monsterCommands: { perSecond: 5 } }\n${MODULE}`),
      'throughput.monsterCommandsPerSecond is already another figure',
    ],
  ])('%j', (text, expected) => {
    expect(messagesOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  test('20 kinds are not', () => {
    expect(read(many(20)).operations).toHaveLength(20);
  });
});

describe('what players without code send', () => {
  const TWO = '{ create: { perSecond: 5 }, look: { perSecond: 50 } }';
  const json = (commands: string): string =>
    of(TWO, `players: { protocol: json, commands: [${commands}] }\n`);
  const http = (requests: string): string =>
    of(TWO, `players: { protocol: http, requests: [${requests}] }\n`);

  test('names its kind', () => {
    const text = json('{ command: new, operation: create }, { command: look, operation: look, weight: 3 }');
    expect(read(written(read(text)))).toEqual(read(text));
    expect(read(http('{ path: /a, operation: create }, { path: /b, operation: look }'))).toBeDefined();
    expect(
      read(
        of(
          '{ look: {} }',
          'players: { protocol: http, requests: [{ path: /, operation: look }, { path: /a }] }\n',
        ),
      ),
    ).toBeDefined();
  });

  test.each([
    [
      json('{ command: new }, { command: a, operation: create }, { command: look, operation: look }'),
      [
        'x.yaml:6:39 players.commands.0: got no operation, expected the kind that it is for: one of create, look',
      ],
    ],
    [
      http('{ path: /a, operation: creates }, { path: /, operation: create }, { path: /b, operation: look }'),
      [
        'x.yaml:6:62 players.requests.0.operation: got creates, expected a kind of load.operations: create, look',
      ],
    ],
    [
      http('{ path: /b, operation: look }'),
      [
        'x.yaml:5:25 load.operations.create: nothing in players.requests has operation: create, expected at least one that does',
      ],
    ],
    [
      of('{ look: {} }', 'players: { protocol: http, requests: [{ path: /, operation: Look }] }\n'),
      ['x.yaml:6:61 players.requests.0.operation: got "Look", expected a kind of load.operations'],
    ],
    [
      of(
        '{ look: { perSecond: 1 }, b: { due: answer } }',
        'players: { protocol: http, requests: [{ path: /, operation: look }] }\n',
      ),
      [expect.stringContaining('load.operations.b.due: got due: answer, expected perSecond or weight')],
    ],
  ])('%j is refused', (text, expected) => {
    expect(messagesOf(text)).toEqual(expected);
  });

  test('a kind that is never due needs nothing to send', () => {
    const text = of(
      '{ a: { perSecond: 0 }, b: { perSecond: 1 } }',
      'players: { protocol: http, requests: [{ path: /, operation: b }] }\n',
    );
    expect(rates(read(text))).toEqual([0, 1]);
  });
});
