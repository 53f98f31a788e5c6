import { isDeepStrictEqual } from 'node:util';
import { hashOf } from '../../hashed-numbers.ts';
import { NO_NUMBERS, numbersBeyond } from '../../number-ranges.ts';
import type { StoredNumbers } from '../../probe/stored-numbers.ts';
import { type OpenVerification, verifyNumbers } from '../../probe/verification.ts';
import { askJson } from '../../stack/health.ts';
import type { WorldEndpoint } from '../../stack/stack.ts';
import { isInside } from './area.ts';
import { RelayConnection } from './relay-connection.ts';
import { authorsOf, faultOf, type SignedEvent, tagOf } from './signed-event.ts';
import { AGENT_KIND, agentOf, isStoredAgent, type StoredAgent } from './stored-agent.ts';
import { realmWorkload, STATE_PATH } from './workload.ts';

/** The relay answers a question within this, milliseconds. */
const ANSWER_MS = 5_000;
/** Beyond the interval, in which a sync is under way, and begins again where the relay was away. */
const SYNC_MS = 2_500;

/**
 * Verifies every command that was acknowledged, and that one of the run's worlds has signed each event of the relay. During the load a command is kept where its world or the relay has it; at the end,
 * once the worlds have synced, only what the relay has counts. What a world alone had when it was killed may be lost: this is the
 * interval of the syncs, and a second in which one of them is under way.
 */
export const openVerification: OpenVerification = async ({ endpoints: { worlds, addresses }, workload }) => {
  const relay = addresses?.relay;
  if (relay === undefined) return { because: 'its relay is unknown' };
  const { syncSeconds } = realmWorkload(workload);
  const token = tokenOf(worlds);
  const faultIn = openSignatureCheck(authorsOf(token, worlds.length));
  return verifyNumbers({
    read: async (end) => {
      // First the worlds: what is synced meanwhile is at the relay then.
      const inWorlds = await Promise.all(worlds.map(readWorld));
      const events = await readRelay(relay, token);
      const atRelay = events.flatMap((event) => keptIn(event) ?? []);
      const stored = end ? savedNumbers(inWorlds, atRelay) : storedNumbers(inWorlds, atRelay);
      return { ...stored, wrong: [...events.flatMap((event) => faultIn(event) ?? []), ...stored.wrong] };
    },
    stillMs: 1e3 * syncSeconds + SYNC_MS,
    // One that is asked to end has synced before.
    losses: worlds.map((_, i) => ({ of: `world-${i + 1}`, withinSeconds: syncSeconds + 1, by: ['kill'] })),
  });
};

/** An agent, as a world or the relay has it. Several worlds may have had it, each in its own way. */
export type Kept = readonly [agent: number, state: StoredAgent];

/** What both have. */
export function storedNumbers(
  inWorlds: readonly (readonly Kept[])[],
  atRelay: readonly Kept[],
): StoredNumbers {
  return { kept: numbersOf(inWorlds.flat()), saved: numbersOf(atRelay), wrong: wrongIn(atRelay) };
}

/** At the end only the relay counts; and what it has with the numbers of a world, is the same agent. */
export function savedNumbers(
  inWorlds: readonly (readonly Kept[])[],
  atRelay: readonly Kept[],
): StoredNumbers {
  const others = inWorlds.flat().flatMap((one) => differences(one, atRelay));
  return { kept: new Map(), saved: numbersOf(atRelay), wrong: [...wrongIn(atRelay), ...others] };
}

/** The numbers of each agent, each once, whichever worlds have had it. */
function numbersOf(all: readonly Kept[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, Set<number>>();
  for (const [agent, { numbers }] of all) {
    const own = found.get(agent) ?? new Set();
    for (const number of numbersBeyond(numbers, NO_NUMBERS)) own.add(number);
    found.set(agent, own);
  }
  return new Map([...found].map(([agent, numbers]) => [agent, [...numbers]]));
}

/** What cannot be of an agent at the relay, whatever its world has. */
const wrongIn = (all: readonly Kept[]): readonly string[] =>
  all.flatMap(([agent, state]) => {
    const { numbers, seqHash, moved } = state;
    const problems: string[] = [];
    if (seqHash !== hashOf(numbers)) problems.push('has a hash that is not of its numbers');
    if (!isInside(state)) problems.push('is outside of the world');
    if (moved > 0 && !numbers.some(([from, to]) => from <= moved && moved <= to))
      problems.push(`stands where its move ${moved} brought it, which is none of its numbers`);
    return problems.map((problem) => `agent ${agent}: at the relay it ${problem}`);
  });

const FIELDS = ['x', 'z', 'moved', 'chats'] as const;

function differences([agent, state]: Kept, atRelay: readonly Kept[]): readonly string[] {
  const same = atRelay.filter(
    ([other, { numbers }]) => other === agent && isDeepStrictEqual(numbers, state.numbers),
  );
  if (same.length === 0) return [];
  const [, kept] = same[0]!;
  return FIELDS.filter((field) => same.every(([, other]) => other[field] !== state[field])).map(
    (field) =>
      `agent ${agent}: ${field} is ${kept[field]} at the relay and ${state[field]} in its world, after the same commands`,
  );
}

/** @throws an Error where a world says what it has in no known way */
async function readWorld(world: WorldEndpoint): Promise<readonly Kept[]> {
  const { status, body } = await askJson(world, STATE_PATH, AbortSignal.timeout(ANSWER_MS));
  const agents: unknown = status === 200 && body !== null ? body.agents : null;
  if (typeof agents !== 'object' || agents === null)
    throw new Error(`${world.url} answers GET ${STATE_PATH} with status ${status}, and without agents`);
  return Object.entries(agents).map(([agent, state]): Kept => {
    if (!isStoredAgent(state)) throw new Error(`${world.url}: what it has of agent ${agent} is none`);
    return [Number(agent), state];
  });
}

async function readRelay(url: string, token: string): Promise<readonly SignedEvent[]> {
  const relay = await RelayConnection.open({ url, token, limit: ANSWER_MS });
  try {
    return await relay.request({ kinds: [AGENT_KIND] });
  } finally {
    relay.close();
  }
}

/** Null for an event of no agent, which has no numbers then. */
const keptIn = (event: SignedEvent): readonly [Kept] | null => {
  const kept = agentOf(event);
  return kept === null ? null : [kept];
};

/** Says what is wrong with an event of the relay, in one sentence, or null: each is checked once, however often it is read. */
export function openSignatureCheck(authors: readonly string[]): (event: SignedEvent) => string | null {
  const checked = new Map<string, string | null>();
  return (event) => {
    const key = JSON.stringify(event);
    const known = checked.get(key);
    if (known !== undefined) return known;
    const fault = faultOf(event, authors);
    const name = tagOf(event, 'd') ?? 'nobody';
    const found = fault === null ? null : `the relay's event of agent ${name} is not of its world: ${fault}`;
    checked.set(key, found);
    return found;
  };
}

/** The run's token, which the relay requires as the worlds do. */
const tokenOf = ([world]: readonly WorldEndpoint[]): string =>
  world?.headers?.authorization?.replace(/^Bearer /, '') ?? '';
