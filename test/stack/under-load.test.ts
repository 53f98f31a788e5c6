import { afterAll, expect, it, vi } from 'vitest';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { micros } from '../../src/units.ts';
import { connectPlayer, type TestPlayer } from '../systems/flux/server/wire.ts';
import { failureOf, KILL, openSmallStack, scenarioOf } from './small-scenario.ts';
import { query } from './sql.ts';

// PostgreSQL and a world server are killed and restarted under load: every acknowledged operation is in
// the rows once, and the rows contain only what was sent.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const PLAYERS = 20;
const watchdog = await openWatchdog(process.env);
const stack = await openSmallStack(scenarioOf({}, { faults: [KILL] }), { watchdog });
afterAll(async () => {
  await stack.close();
  await watchdog.close();
});

/** What a client knows of one player: the highest number that it sent, and the highest that was acknowledged. */
interface Known {
  sent: number;
  acked: number;
  welcomes: number;
}

/** Sends one intent after another and reconnects when the connection is lost, until it is stopped. */
async function play(url: string, player: number, known: Known, goesOn: () => boolean): Promise<void> {
  while (goesOn()) {
    let connected: TestPlayer;
    try {
      connected = await connectPlayer(url, player);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const { lastSeq } = connected.welcome;
    known.welcomes++;
    // The row has everything that was acknowledged, and nothing that was not sent.
    expect(lastSeq).toBeGreaterThanOrEqual(known.acked);
    expect(lastSeq).toBeLessThanOrEqual(known.sent);
    known.acked = lastSeq;
    known.sent = lastSeq;
    const lost = new Promise<null>((resolve) => connected.socket.once('close', () => resolve(null)));
    while (goesOn()) {
      known.sent++;
      const ack = await Promise.race([connected.ask('attack 3'), lost]);
      if (ack === null) break;
      expect(ack.seq).toBe(known.acked + 1);
      known.acked = ack.seq;
    }
    await connected.close();
  }
}

it('nothing acknowledged is lost, and nothing is applied twice', async () => {
  const { worlds, database } = stack.endpoints;
  const { disturb } = stack;
  if (disturb === null) throw new Error('no stack of our own');
  const known = Array.from({ length: PLAYERS }, (): Known => ({ sent: 0, acked: 0, welcomes: 0 }));
  let goesOn = true;
  const playing = known.map((each, player) =>
    play(worlds[player < PLAYERS / 2 ? 0 : 1]?.url ?? '', player, each, () => goesOn),
  );
  const ackedNow = () => known.map(({ acked }) => acked);
  const everybodyPlays = async () => {
    const before = ackedNow();
    await expect
      .poll(() => ackedNow().every((acked, i) => acked > (before[i] ?? 0) + 2), { timeout: 30_000 })
      .toBe(true);
  };
  await everybodyPlays();
  for (let round = 0; round < 3; round++) {
    await disturb.kill('postgres', micros(100_000));
    await everybodyPlays();
  }
  await disturb.kill('world-1', micros(100_000));
  await everybodyPlays();
  await Promise.all([disturb.kill('world-2', micros(0)), disturb.kill('postgres', micros(100_000))]);
  await everybodyPlays();
  await disturb.stop('postgres', micros(300_000));
  await everybodyPlays();
  goesOn = false;
  await Promise.all(playing);

  const rows = await query(
    database,
    'select last_seq, applied_n, seq_sum::int as seq_sum from entity where id < $1 order by id',
    [PLAYERS],
  );
  expect(rows).toHaveLength(PLAYERS);
  rows.forEach((row, player) => {
    const { sent = 0, acked = 0 } = known[player] ?? {};
    expect(row.last_seq).toBeGreaterThanOrEqual(acked);
    expect(row.last_seq).toBeLessThanOrEqual(sent);
    expect(row.applied_n).toBe(row.last_seq);
    expect(row.seq_sum).toBe((row.last_seq * (row.last_seq + 1)) / 2);
  });
  // Players stay connected when PostgreSQL is lost, but not when their world server is.
  expect(known.map(({ welcomes }) => welcomes)).toEqual(new Array(PLAYERS).fill(2));
  expect(await failureOf(stack)).toBeNull();
});
