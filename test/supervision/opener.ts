// Opens a stack, reports each step as a line, and holds it until stdin ends. The tests kill it.
import { tmpdir } from 'node:os';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { openSmallStack, scenarioOf } from '../stack/small-scenario.ts';

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const watchdog = await openWatchdog(process.env);
say({ at: 'watchdog', pid: watchdog.pid, tmp: tmpdir() });
const small = scenarioOf({});
const limits = process.env.OPENER_CPUS === undefined ? undefined : { cpus: Number(process.env.OPENER_CPUS) };
const scenario = { ...small, world: { ...small.world, limits } };
const { CAPBENCH_TEST_POSTGRES_BIN: bin, CAPBENCH_CGROUP } = process.env;
const env = { PATH: process.env.PATH, CAPBENCH_POSTGRES_BIN: bin, CAPBENCH_CGROUP };
const stackLimits = limits === undefined ? null : { cpus: limits.cpus * 3 };
const stack = await openSmallStack(scenario, { watchdog, env, stackLimits });
say({ at: 'up', endpoints: stack.endpoints });
for await (const _ of process.stdin);
await stack.close();
await watchdog.close();
say({ at: 'closed' });
