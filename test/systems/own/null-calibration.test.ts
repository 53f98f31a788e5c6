import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createNativeEngine } from '../../../src/load/native.ts';
import { calibrate } from '../../../src/run/calibration.ts';
import { openNullServers } from '../../../src/stack/null-servers.ts';
import { openWatchdog, type Watchdog } from '../../../src/supervision/watchdog.ts';
import { SYSTEMS } from '../../../src/systems/registry.ts';
import { read } from '../../scenario/scenario-text.ts';
import { processesIn } from '../../stack/leftovers.ts';

const folder = mkdtempSync(join(tmpdir(), 'own-calibration-'));
const token = 'of-this-test-alone';
const { signal } = new AbortController();
let watchdog: Watchdog;
beforeAll(async () => {
  vi.stubEnv('TMPDIR', folder);
  watchdog = await openWatchdog(process.env);
});
afterAll(async () => {
  await watchdog.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const MODULE = join(folder, 'mine.mjs');
/** A protocol of lines over TCP, which only this module speaks. */
const mine = (more: string): string => `
  import { connect as dial, createServer } from 'node:net';
  export const connect = ({ url }) => new Promise((resolve, reject) => {
    const socket = dial(Number(new URL(url).port), '127.0.0.1', () => resolve({ socket, waiting: [] }));
    socket.on('error', reject);
  });
  export const perform = ({ socket }) => new Promise((resolve) => {
    socket.once('data', () => resolve('ok'));
    socket.write('.');
  });
  export const close = ({ socket }) => socket.destroy();
  ${more}`;
const NULL_SERVER = `export const nullServer = ({ host }) => new Promise((resolve) => {
    const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.write('!')));
    server.listen(0, host, () => resolve({ url: 'http://' + host + ':' + server.address().port }));
  });`;

test.each([
  [
    'json',
    '{ protocol: json, path: /ws, commands: [{ command: look, operation: look }, { command: go, operation: go }], idAt: reply.id }',
    null,
    undefined,
  ],
  [
    'http',
    "{ protocol: http, requests: [{ path: /a, operation: look }, { method: POST, path: /b, body: '{}', operation: go }] }",
    null,
    undefined,
  ],
  ['a module with a null server', '{ module: ./mine.mjs }', mine(NULL_SERVER), 'against its own nullServer'],
  [
    'a module without one',
    '{ module: ./mine.mjs }',
    mine(''),
    "only capbench's own part: the player module ./mine",
  ],
])("a user's own players are calibrated in their own protocol: %s", async (_, players, module, of) => {
  const scenario = read(`name: mine
system: own
load: { players: 20, outstanding: 1, operations: { look: { perSecond: 150 }, go: { perSecond: 50 }${module === null ? '' : ', ready: { due: answer }'} } }
world: { servers: 2 }
calibration: { seconds: 1 }
players: ${players}`);
  if (module !== null) writeFileSync(MODULE, module);
  const playerModule = module === null ? null : { path: MODULE, name: './mine.mjs' };
  const system = SYSTEMS.systemOf(scenario);
  const engine = createNativeEngine({
    ...{
      system: { workerModule: system.workerModule(scenario) },
      workers: 1,
      watchdog,
      module: playerModule,
    },
  });
  const result = await calibrate(
    engine,
    scenario,
    system.scenario,
    (workload, servers, stop) =>
      openNullServers(system.nullServers?.(workload, servers, token, playerModule) ?? [], {
        ...{ token, watchdog, signal: stop },
      }),
    signal,
  );
  const facts = result !== null && 'because' in result ? null : result;
  expect(facts?.answeredPercent).toBeGreaterThan(99);
  expect(facts?.targetPerSecond).toBe(200);
  expect(facts?.ratePerSecond).toBeGreaterThan(250);
  if (of === undefined) expect(facts?.of).toBeUndefined();
  else {
    expect(facts?.of).toContain(of);
    expect(facts?.of).toMatch(/; without what follows from answers: ready$/);
  }
  expect(processesIn(folder).filter(({ command }) => command.includes('own-null'))).toEqual([]);
  expect(readdirSync(folder).filter((name) => name !== 'mine.mjs')).toEqual([]);
});
