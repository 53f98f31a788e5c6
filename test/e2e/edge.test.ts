import { expect, test } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { lookForEdge } from '../../src/stack/edge-program.ts';
import { LOST_NOTHING } from '../counts.ts';
import { capbench, small } from './capbench.ts';

// Only Linux has an address for each player.
const installed = process.platform === 'linux' && (await lookForEdge('haproxy', process.env)) !== null;

test.skipIf(!installed)(
  'players of flux go through HAProxy with TLS, each from an address of its own, and commands past it; nothing is lost when it is killed',
  { timeout: 120_000 },
  async () => {
    const edge =
      '{ program: haproxy, tls: { keyBits: 2048 }, perAddress: { open: 1, opened: 100, within: 1s } }';
    const faults = '[{ action: kill, of: edge, at: 1s, lasting: 200ms }]';
    const run = capbench([
      ...['run', small, '--set', 'world.servers=1', '--set', `edge=${edge}`],
      ...['--set', `faults=${faults}`, '--set', 'rules.sentPercent=1'],
    ]);
    const { stdout } = await run.ends(EXIT.pass, EXIT.breached, EXIT.invalid);
    const { load, integrity, network, outage, stack } = run.report();
    expect(load.peakCcu, stdout).toBe(60);
    expect(load.operations.intent?.ok).toBeGreaterThan(0);
    // All players were connected to the proxy, and no post of a command was.
    expect(outage.edge).toMatchObject({ count: 1, notBack: 0 });
    // On a busy machine some notice it only when the proxy is back.
    expect(outage.edge?.disconnects).toBeGreaterThan(0);
    expect(network.disconnects).toBeGreaterThanOrEqual(60);
    expect(load.operations.monsterCommand).toMatchObject({ failed: 0, unfinished: 0 });
    expect(integrity).toMatchObject(LOST_NOTHING);
    expect(stack.applied).toMatchObject({
      edgeProgram: 'haproxy',
      edgeKeyBits: '2048',
      edgeOpenPerAddress: '1',
    });
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);
