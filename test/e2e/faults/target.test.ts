import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { eventually, root, type Started, small } from '../capbench.ts';
import { type Fault, faultTable, linux } from './fault.ts';
import { processOf } from './inside.ts';
import { type Mischief, UnreliableProxy } from './unreliable-proxy.ts';

/** One stack for all rows; each row has proxies of its own in front of it. */
let tmp = '';
let served: ChildProcess;
let worlds: readonly string[] = [];

beforeAll(async () => {
  if (!linux) return;
  tmp = mkdtempSync(join(tmpdir(), 'e2e-served-'));
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
  // What was done to the runs has not harmed the stack.
  expect(served.exitCode).toBeNull();
  served.kill('SIGINT');
  expect(await once(served, 'exit')).toEqual([0, null]);
  expect(readdirSync(tmp)).toEqual([]);
  rmSync(tmp, { recursive: true });
}, 60_000);

async function operations(): Promise<number> {
  const texts = await Promise.all(worlds.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts.reduce(
    (sum, text) => sum + Number(/^capbench_world_operations_total (\d+)$/m.exec(text)?.[1] ?? 0),
    0,
  );
}

/** A run through proxies, which begin their mischief once the load is on. */
function throughProxies(mischief: Mischief | null): Pick<Fault, 'when' | 'targets' | 'isOn' | 'inject'> {
  let proxies: readonly UnreliableProxy[] = [];
  let before = 0;
  return {
    when: 'load',
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

faultTable('a target', [
  {
    what: 'vanishes',
    ...throughProxies('vanish'),
    codes: [93],
    says: [/^error: http:\S+ .*/m, /^hint: \S/m],
    ending: 'stackFailed',
  },
  // It may be slow, or broken, but it is there: its part of the load is missed, and there is no verdict.
  {
    what: 'stalls',
    ...throughProxies('stall'),
    codes: [90],
    says: [],
    ending: 'stoppedEarly',
    lastly: (run) =>
      expect(run.report().invalidBecause.join('\n')).toMatch(/world-1: .*Timeout.*\n?.*overloaded/),
    slow: true,
  },
  {
    what: 'answers garbage',
    ...throughProxies('garbage'),
    codes: [90],
    says: [],
    ending: 'stoppedEarly',
    lastly: (run) => {
      expect(run.measurements().errors.join('\n')).toMatch(/a player's connection: Invalid WebSocket frame/);
      expect(run.report().invalidBecause.join('\n')).toMatch(/whether the target speaks the protocol/);
    },
  },
  {
    what: 'answers too much',
    ...throughProxies('flood'),
    codes: [90],
    says: [],
    ending: 'stoppedEarly',
    lastly: (run) => {
      expect(run.measurements().errors.join('\n')).toMatch(/a frame is not of the protocol/);
      expect(run.report().invalidBecause.join('\n')).toMatch(/whether the target speaks the protocol/);
    },
    slow: true,
  },
  {
    what: 'and the watchdog is killed',
    ...throughProxies(null),
    inject: (run: Started) => void process.kill(processOf(run, 'watchdog'), 'SIGKILL'),
    codes: [93],
    says: [/^error: watchdog: .*killed by SIGKILL$/m, /^hint: .*start the run again/m],
    ending: 'stackFailed',
  },
]);
