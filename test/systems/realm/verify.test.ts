import { expect, test } from 'vitest';
import { hashOf } from '../../../src/hashed-numbers.ts';
import type { NumberRanges } from '../../../src/number-ranges.ts';
import { signEvent, worldKey } from '../../../src/systems/realm/signed-event.ts';
import type { StoredAgent } from '../../../src/systems/realm/stored-agent.ts';
import { agentDraft } from '../../../src/systems/realm/stored-agent.ts';
import {
  type Kept,
  openSignatureCheck,
  savedNumbers,
  storedNumbers,
} from '../../../src/systems/realm/verify.ts';

const AGENT = 3;
const after = (numbers: NumberRanges, more: Partial<StoredAgent> = {}): StoredAgent => ({
  ...{ numbers, seqHash: hashOf(numbers), x: 1, z: 2.5, moved: 2, chats: 1 },
  ...more,
});
const kept = (state: StoredAgent, agent = AGENT): Kept => [agent, state];
const sorted = (numbers: ReadonlyMap<number, readonly number[]>) =>
  [...numbers].map(([agent, all]) => [agent, all.toSorted((a, b) => a - b)]);

test('during the load the worlds and the relay count, at the end the relay alone', () => {
  const inWorld = [kept(after([[1, 5]]))];
  const atRelay = [kept(after([[1, 3]]))];
  const during = storedNumbers([inWorld], atRelay);
  expect(sorted(during.kept)).toEqual([[AGENT, [1, 2, 3, 4, 5]]]);
  expect(sorted(during.saved)).toEqual([[AGENT, [1, 2, 3]]]);
  const end = savedNumbers([inWorld], atRelay);
  expect([sorted(end.kept), sorted(end.saved), end.wrong]).toEqual([[], [[AGENT, [1, 2, 3]]], []]);
});

test('an agent that several worlds have had has the numbers of all, each once', () => {
  const worlds = [
    [kept(after([[1, 3]]))],
    [
      kept(
        after([
          [1, 2],
          [5, 6],
        ]),
      ),
      kept(after([[7, 7]]), 9),
    ],
  ];
  const { kept: found } = storedNumbers(worlds, []);
  expect(sorted(found)).toEqual([
    [AGENT, [1, 2, 3, 5, 6]],
    [9, [7]],
  ]);
});

test.each<[what: string, state: StoredAgent, wrong: number]>([
  ['as it should be', after([[1, 5]]), 0],
  ['an agent that has not moved', after([[5, 5]], { moved: 0 }), 0],
  ['another hash', after([[1, 5]], { seqHash: 7 }), 1],
  ['outside', after([[1, 5]], { x: 100.5 }), 1],
  ['moved by a number that it has not', after([[1, 5]], { moved: 6 }), 1],
])('what the relay has of an agent: %s', (_, state, wrong) => {
  expect(storedNumbers([], [kept(state)]).wrong).toHaveLength(wrong);
  expect(savedNumbers([], [kept(state)]).wrong).toHaveLength(wrong);
});

test('after the same commands the relay has the agent that its world has', () => {
  const state = after([[1, 5]]);
  for (const other of [{ x: 2 }, { z: 3 }, { moved: 3 }, { chats: 2 }]) {
    const atRelay = [kept(after([[1, 5]], other))];
    expect(savedNumbers([[kept(state)]], atRelay).wrong).toEqual([
      expect.stringContaining(`agent ${AGENT}: ${Object.keys(other)[0]} is`),
    ]);
    // After other commands it may be another one, and so may that of another world.
    expect(savedNumbers([[kept(after([[1, 6]]))]], atRelay).wrong).toEqual([]);
    expect(savedNumbers([[kept(state)]], [...atRelay, kept(state)]).wrong).toEqual([]);
  }
});

test('an event of the relay has to be one that a world of the run has signed', () => {
  const key = worldKey('token', 1);
  const faultIn = openSignatureCheck([key.pubkey]);
  const event = signEvent(key, agentDraft(AGENT, 1_000, after([[1, 5]])));
  expect(faultIn(event)).toBeNull();
  const changed = { ...event, content: event.content.replace('"x":1', '"x":2') };
  // It is found each time that it is read.
  for (let i = 0; i < 2; i++)
    expect(faultIn(changed)).toContain(`agent ${AGENT} is not of its world: the id`);
  expect(faultIn({ ...event, sig: '0'.repeat(128) })).toContain('the signature');
  expect(faultIn(signEvent(worldKey('token', 2), event))).toContain('its author is none of the worlds');
});
