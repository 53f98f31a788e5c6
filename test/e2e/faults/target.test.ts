import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../temporary-folder.ts';
import { eventually, root, type Started, small } from '../capbench.ts';
import { faultTable, linux, type Row } from './fault.ts';
import { processOf } from './inside.ts';
import { type Mischief, UnreliableProxy } from './unreliable-proxy.ts';

/** One stack for all rows; each row has proxies of its own in front of it. */
const tmp = temporaryFolder(afterAll);
let served: ChildProcess;
let worlds: readonly string[] = [];

beforeAll(async () => {
  if (!linux) return;
  chmodSync(tmp, 0o1777);
  served = spawn(process.execPath, [join(root, 'bin', 'capbench.js'), 'serve', small, '--json'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: tmp },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: served.stdout! }), 'line');
  worlds = (JSON.parse(String(line)) as { worlds: string[] }).worlds;
}, 60_000);

afterAll(async () => {
  if (!linux) return;
  // The faults of the runs did not affect the stack.
  expect(served.exitCode).toBeNull();
  served.kill('SIGINT');
  expect(await once(served, 'exit')).toEqual([0, null]);
  expect(readdirSync(tmp)).toEqual([]);
}, 60_000);

async function operations(): Promise<number> {
  const texts = await Promise.all(worlds.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts.reduce(
    (sum, text) => sum + Number(/^capbench_world_operations_total (\d+)$/m.exec(text)?.[1] ?? 0),
    0,
  );
}

/** A run through proxies, which start to fail during the load. */
function throughProxies(mischief: Mischief | null): Pick<Row, 'when' | 'targets' | 'isOn' | 'inject'> {
  let proxies: readonly UnreliableProxy[] = [];
  let before = 0;
  return {
    targets: async () => {
      before = await operations();
      proxies = await Promise.all(worlds.map((url) => new UnreliableProxy(url).listen()));
      onTestFinished(() => {
        for (const proxy of proxies) proxy.close();
      });
      return proxies.map(({ url }) => url);
    },
    isOn: async () => {
      await eventually('operations at the target', async () =>
        (await operations()) > before + 500 ? true : null,
      );
    },
    inject: () => {
      if (mischief !== null) for (const proxy of proxies) proxy.begin(mischief);
    },
  };
}

const STOPPED_EARLY = { codes: [90], ending: 'stoppedEarly' } as const;

/** The error names what happened, and says that the target may be another kind of server. */
const saysThat =
  (met: RegExp) =>
  (run: Started): void => {
    expect(run.measurements().errors.join('\n')).toMatch(met);
    expect(run.report().invalidBecause.join('\n')).toMatch(/whether the target speaks the protocol/);
  };

faultTable('a target', [
  {
    what: 'vanishes',
    ...throughProxies('vanish'),
    says: [/^error: http:\S+ .*/m, /^hint: \S/m],
  },
  // It may be slow, or broken, but it is there: its part of the load is missed, and there is no verdict.
  {
    what: 'stalls',
    ...throughProxies('stall'),
    ...STOPPED_EARLY,
    lastly: (run) =>
      expect(run.report().invalidBecause.join('\n')).toMatch(/world-1: .*Timeout.*\n?.*overloaded/),
    slow: true,
  },
  {
    what: 'answers garbage',
    ...throughProxies('garbage'),
    ...STOPPED_EARLY,
    lastly: saysThat(/a player's connection: Invalid WebSocket frame/),
  },
  {
    what: 'answers too much',
    ...throughProxies('flood'),
    ...STOPPED_EARLY,
    lastly: saysThat(/a frame violates the protocol/),
    slow: true,
  },
  {
    what: 'and the watchdog is killed',
    ...throughProxies(null),
    inject: (run: Started) => void process.kill(processOf(run, 'watchdog'), 'SIGKILL'),
    says: [/^error: watchdog: .*killed by SIGKILL$/m, /^hint: .*start the run again/m],
  },
]);
