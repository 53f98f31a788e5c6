import { expect, test, vi } from 'vitest';
import { LateCodec } from '../../../../src/systems/flux/k6/script/codec.ts';
import { FluxCodec } from '../../../../src/systems/flux/player.ts';

const listener = { answered: () => {}, stated: () => {} };

test("the codec that decodes late gives the same results as the native engine's", () => {
  for (const id of [0, 3, 70_000]) {
    const native = new FluxCodec(31, [id]);
    const late = new LateCodec(31, [id], () => expect.unreachable());
    const kinds = new Set<string>();
    for (let seq = 1; seq <= 600; seq++) {
      const frame = native.encode(0, 0, seq);
      expect(late.encode(0, 0, seq)).toBe(frame);
      kinds.add((JSON.parse(frame) as { text: string }).text.split(' ')[0] ?? '');
      // What it receives depends on the number only: exits come and go, and so do others, in frames of every kind.
      const place = {
        exits: ['north', 'east', 'south', 'west'].filter((_exit, bit) => (seq >> bit) & 1),
        ...(seq % 4 === 0 ? {} : { present: seq % 3 === 0 ? [] : [seq, 7] }),
      };
      const event = { actor: seq % 3 === 0 ? 7 : seq, did: seq % 5 === 0 ? 'left' : 'arrived' };
      const acks = [{ seq, ok: true, ...(seq % 2 === 0 ? { place: 1, ...place } : {}) }];
      for (const one of [{ events: [event] }, { acks, events: [event] }, { acks }].slice(seq % 3)) {
        const text = JSON.stringify(one);
        expect([native, late].map((codec) => codec.decode(0, text, listener))).toEqual([true, true]);
      }
    }
    expect([...kinds].sort()).toEqual(['attack', 'go', 'look', 'say']);
  }
});

test('an invalid frame is reported when it is decoded', () => {
  const onGarbage = vi.fn();
  const codec = new LateCodec(1, [5, 6], onGarbage);
  expect(codec.decode(1, '{"events":5}', listener)).toBe(true);
  expect(onGarbage).not.toHaveBeenCalled();
  codec.decode(1, '{"acks":[],"events":[]}', listener);
  expect(onGarbage.mock.calls).toEqual([[1]]);
});
