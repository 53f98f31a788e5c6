import { expect, test } from 'vitest';
import { choiceOf, OPTIONS, rightOption } from '../../../src/systems/quiz/questions.ts';
import { startText } from '../../../src/systems/quiz/scenario.ts';
import { Directory } from '../../../src/systems/quiz/server/directory.ts';
import { quizNeeds } from '../../../src/systems/quiz/stack.ts';
import { encode, type PlayerFrame, readPlayerFrame } from '../../../src/systems/quiz/wire.ts';
import { problemsOf, read, workload, written } from '../../scenario/scenario-text.ts';

const text = (players: number, world = 'servers: 1, workers: 4'): string =>
  `name: q\nsystem: quiz\nload: { players: ${players}, duration: 5s }\nworld: { ${world} }\n`;

test('operations follow from answers, pairs are groups, and a bundle can be read again', () => {
  const scenario = read(text(40));
  expect(Object.values(scenario.load.operations)).toEqual(
    Array.from({ length: 4 }, () => ({ perSecond: 0, due: 'answer' })),
  );
  expect(workload(scenario)).toMatchObject({
    ...{ group: 2, entities: 40, ledger: { timed: true, rejected: 'unrecorded' } },
    own: { questions: 10, think: [2e6, 8e6], gap: 1.5e6, createsPerSecond: 60 },
  });
  expect(read(written(scenario))).toEqual(scenario);
});

test('more matches than the workers have places for are refused, with the arithmetic', () => {
  expect(problemsOf(text(42))[0]?.message).toMatch(
    /^got 42 players, who play 21 matches at once, expected 20 matches at most: 1 server x 4 workers x 5 matches$/,
  );
  expect(problemsOf(text(41)).map(({ message }) => message)[0]).toContain('expected an even number');
  expect(problemsOf(text(20, "servers: 1, workers: 4, think: ['3s', '1s']"))[0]?.message).toContain(
    'expected the shorter time first',
  );
  expect(read(text(40), { scale: 0.33 }).load.players).toBe(14);
});

test('the memory of a stack is that of its worker processes', () => {
  const { memoryBytes, because } = quizNeeds(read(text(4_000, 'servers: 10, workers: 40')));
  expect(memoryBytes).toBe(400 * 30e6 + 10 * 60e6 + 1e9);
  expect(because).toBe('400 worker processes of 30 MB, 10 servers of 60 MB, and 1 GB for all else');
});

test('a start that takes long is announced with its arithmetic', () => {
  expect(startText(400, 2)).toBe('; about 100 s of CPU to start, 50 s on 2 cores');
  expect(startText(400, 32)).toBe('');
  expect(startText(4, 1)).toBe('');
});

test('choices are options, follow from seed, player and number, and are right about one time in four', () => {
  const choices = Array.from({ length: 4_000 }, (_, number) => choiceOf(7, number % 50, number));
  expect(choices.every((choice) => choice >= 0 && choice < OPTIONS)).toBe(true);
  expect(choices).toEqual(Array.from({ length: 4_000 }, (_, number) => choiceOf(7, number % 50, number)));
  expect(choices).not.toEqual(Array.from({ length: 4_000 }, (_, number) => choiceOf(8, number % 50, number)));
  const right = choices.filter((choice, i) => choice === rightOption(i % 100, i % 10)).length;
  expect(right / choices.length).toBeGreaterThan(0.2);
  expect(right / choices.length).toBeLessThan(0.3);
});

test('frames of players are read as they are written, and anything else is none', () => {
  const frames: readonly PlayerFrame[] = [
    { event: 'authenticate', data: { player: 3, match: null } },
    { event: 'create_friend_match', id: 1, data: { quiz: 5 } },
    { event: 'join_match', id: 2, data: { joinCode: 'abc' } },
    { event: 'player_ready', id: 3, data: { matchId: 2 ** 48 - 2 } },
    {
      ...{ event: 'submit_answer', id: 4 },
      data: { matchId: 7, questionId: 5_000, questionIndex: 0, selectedOptions: [2], timeSpent: 1_500 },
    },
  ];
  for (const frame of frames) expect(readPlayerFrame(encode(frame))).toEqual(frame);
  for (const wrong of [
    '',
    '[]',
    '{"event":"authenticate","data":{"player":-1,"match":null}}',
    '{"event":"join_match","data":{"joinCode":"x"}}',
    '{"event":"submit_answer","id":1,"data":{"matchId":1,"questionId":1,"questionIndex":0,"selectedOptions":[],"timeSpent":0}}',
    '{"event":"drop_tables","id":1,"data":{}}',
  ])
    expect([wrong, readPlayerFrame(wrong)]).toEqual([wrong, null]);
});

test('a server knows where its matches are, and gives each the worker with the fewest', () => {
  const directory = new Directory(2, 1);
  const open = (id: number, player: number): void => {
    const worker = directory.reserve();
    if (worker === null) throw new Error('full');
    directory.add({ id, code: `code-${id}`, worker, players: [player] });
  };
  open(1, 10);
  open(2, 20);
  expect(() => open(3, 30)).toThrow('full');
  expect([directory.of(0), directory.of(1)].map((all) => all.map(({ id }) => id))).toEqual([[1], [2]]);
  expect(directory.ofCode('code-1')?.id).toBe(1);
  directory.join(1, 11);
  expect(directory.ofCode('code-1')).toBeUndefined();
  expect(directory.ofPlayer(11)?.id).toBe(1);
  directory.remove(1);
  expect([directory.ofPlayer(10), directory.ofPlayer(11), directory.active]).toEqual([
    undefined,
    undefined,
    1,
  ]);
  open(3, 30);
  expect(directory.peak).toBe(2);
});

test('of two recovered matches of a player the newest counts, and the other is to be forgotten', () => {
  const directory = new Directory(2, 5);
  const old = directory.recover([
    [{ id: 1, code: 'a', players: [{ player: 10, entry: 1 }] }],
    [
      {
        ...{ id: 2, code: 'b' },
        players: [
          { player: 10, entry: 25 },
          { player: 11, entry: 13 },
        ],
      },
    ],
  ]);
  expect(old).toEqual([[0, 1]]);
  expect(directory.ofPlayer(10)?.id).toBe(2);
  expect(directory.ofPlayer(11)?.worker).toBe(1);
});
