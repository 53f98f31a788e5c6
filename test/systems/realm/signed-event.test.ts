import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { faultOf, isEvent, signEvent, worldKey } from '../../../src/systems/realm/signed-event.ts';
import { agentDraft, agentOf, type StoredAgent } from '../../../src/systems/realm/stored-agent.ts';

const AGENT: StoredAgent = { ...{ numbers: [[1, 7]], seqHash: 12, x: 40.5, z: 3, moved: 7 }, chats: 2 };
const key = worldKey('token', 1);
const event = signEvent(key, agentDraft(17, 1_700_000_000, AGENT));

test('an event has the hash of its list as id, and a signature of its author', () => {
  const list = `[0,"${key.pubkey}",1700000000,30078,[["d","17"]],${JSON.stringify(event.content)}]`;
  expect(event.id).toBe(createHash('sha256').update(list).digest('hex'));
  expect(isEvent(event)).toBe(true);
  expect(faultOf(event)).toBeNull();
  expect(agentOf(event)).toEqual([17, AGENT]);
});

test('a changed event is not the author’s', () => {
  const another = worldKey('token', 2);
  const { sig } = signEvent(another, agentDraft(17, 1_700_000_000, AGENT));
  expect(faultOf({ ...event, content: event.content.replace('"x":40.5', '"x":41.5') })).toContain('the id');
  expect(faultOf({ ...event, created_at: event.created_at + 1 })).toContain('the id');
  expect(faultOf({ ...event, sig })).toContain('the signature');
  // The signature and the hash are right, the key is no point of the curve.
  const nobody = { ...event, pubkey: 'f'.repeat(64) };
  const list = JSON.stringify([
    0,
    nobody.pubkey,
    nobody.created_at,
    nobody.kind,
    nobody.tags,
    nobody.content,
  ]);
  const id = createHash('sha256').update(list).digest('hex');
  expect(faultOf({ ...nobody, id })).toContain('the signature');
});

test('worlds of a run have different keys, and so have runs; a restarted world has its own again', () => {
  const keys = [worldKey('token', 1), worldKey('token', 2), worldKey('another', 1), worldKey('', 1)];
  expect(new Set(keys.map(({ pubkey }) => pubkey)).size).toBe(4);
  expect(worldKey('token', 1)).toEqual(key);
});

test('what is no event, or no agent, is refused', () => {
  for (const wrong of [
    null,
    [],
    {},
    { ...event, id: 'x' },
    { ...event, tags: [7] },
    { ...event, kind: '30078' },
  ])
    expect(isEvent(wrong), JSON.stringify(wrong)).toBe(false);
  expect(agentOf({ ...event, kind: 1 })).toBeNull();
  expect(agentOf({ ...event, tags: [] })).toBeNull();
  for (const content of ['', '{}', '{"numbers":[[2,1]],"seqHash":0,"x":0,"z":0,"moved":0,"chats":0}'])
    expect(agentOf({ ...event, content }), content).toBeNull();
});
