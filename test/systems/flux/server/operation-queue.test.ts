import { expect, it } from 'vitest';
import { random } from '../../../../src/rng.ts';
import { OperationQueue } from '../../../../src/systems/flux/server/operation-queue.ts';

it('keeps the order of arrival through wrapping and growing', () => {
  const queue = new OperationQueue();
  const next = random(7);
  let [pushed, taken] = [0, 0];
  for (let round = 0; round < 400; round++) {
    for (let n = Math.floor(next() * 900); n > 0; n--) {
      const quoted = pushed % 3 === 0 ? `q${pushed}` : null;
      queue.push(pushed, pushed % 16, pushed + 1, -pushed, pushed / 2, quoted);
      pushed++;
    }
    const count = Math.min(queue.length, Math.floor(next() * 800));
    expect(queue.oldest()).toBe(queue.length === 0 ? Number.POSITIVE_INFINITY : taken / 2);
    for (let i = 0; i < count; i++, taken++) {
      const slot = queue.slot(i);
      const { actor, command, seq, origin, arrived } = queue;
      const found = [actor, command, seq, origin, arrived].map((column) => column[slot]);
      const wanted = [taken, taken % 16, taken + 1, -taken, taken / 2];
      if (found.join() !== wanted.join()) expect(found).toEqual(wanted);
      const quoted = queue.takeQuoted(slot);
      if (quoted !== (taken % 3 === 0 ? `q${taken}` : '')) expect(quoted).toBe(`q${taken}`);
    }
    queue.drop(count);
    expect(queue.length).toBe(pushed - taken);
  }
  expect(pushed).toBeGreaterThan(100_000);
  expect(queue.actor.length).toBeGreaterThan(8_192);
});
