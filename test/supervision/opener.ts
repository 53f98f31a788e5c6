// Opens a stack, reports each step as a line, and holds it until stdin ends. The tests kill it.
import { tmpdir } from 'node:os';
import { openWatchdog } from '../../src/supervision/watchdog.ts';
import { openSmallStack, scenarioOf } from '../stack/small-scenario.ts';

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const watchdog = await openWatchdog(process.env);
say({ at: 'watchdog', pid: watchdog.pid, tmp: tmpdir() });
const stack = await openSmallStack(scenarioOf({}), { watchdog });
say({ at: 'up', endpoints: stack.endpoints });
for await (const _ of process.stdin);
await stack.close();
await watchdog.close();
say({ at: 'closed' });
