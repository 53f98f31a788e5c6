import { request } from 'undici';
import { accepts } from '../address/accepts.ts';
import { messageOf, stackFailed } from '../errors.ts';
import {
  type CommandSpec,
  describeExit,
  KILL,
  type Rung,
  type SupervisedProcess,
  startProcess,
} from '../supervision/process.ts';
import { pause, settlesWithin, unlessAborted, within } from '../supervision/time-limit.ts';
import type { StackFailure } from '../supervision/watchdog.ts';
import { type ComponentProcess, openComponent } from './component.ts';
import type { ComponentSpec, StartContext } from './component-spec.ts';

/** When a command is ready: its port accepts, its URL answers 2xx, or a line of its output holds the text. */
export type ReadyTest = number | string | { readonly line: string };

/** A command as its arguments: the program first, as PATH or the folder has it. */
type CommandWords = readonly string[];

/** A server that a command of the user's starts. */
export interface CommandPlan {
  readonly name: string;
  /** The start command, for readers. */
  readonly text: string;
  /** Runs in the foreground. */
  readonly start: CommandWords;
  readonly ready: ReadyTest;
  /** URLs at which nothing may listen before the start. */
  readonly targets: readonly string[];
  /** Milliseconds: of a start, and of `reset`. */
  readonly limit: number;
  /** Runs, and ends with 0, before the first start. */
  readonly reset: CommandWords | null;
  /** Asks the server to end, before SIGTERM. */
  readonly stop: CommandWords | null;
  /** `$NAME`: the value of a variable of capbench itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds from SIGTERM to SIGKILL; 10 s where it is absent. */
  readonly patience?: number;
}

const POLL_MS = 100;
const ANSWER_MS = 2_000;
const STOP_MS = 10_000;
/** A line that is looked for may come in two parts. */
const KEPT_OUTPUT = 10_000;

/** The name of capbench's own variable that a value stands for; null where it stands for itself. */
export const variableIn = (value: string): string | null => /^\$([A-Za-z_]\w*)$/.exec(value)?.[1] ?? null;

const environmentOf = (
  { environment }: CommandPlan,
  env: StartContext['env'],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => {
      const variable = variableIn(value);
      return [name, variable === null ? value : (env[variable] ?? '')];
    }),
  );

/** The component of a command: it is started, watched and ended like the servers of capbench. */
export const commandComponent = (plan: CommandPlan): ComponentSpec => ({
  name: plan.name,
  faults: ['kill', 'stop', 'restart'],
  after: [],
  async start(context) {
    const { signal, closing, folder } = context;
    await refuseListeners(plan);
    const logs = new Map<string, string>();
    if (plan.reset !== null) {
      logs.set('reset', folder.file('reset.log'));
      await runReset(plan, plan.reset, context);
    }
    const component = openComponent(
      await startCommand(plan, context, signal),
      (aborted) => startCommand(plan, context, aborted),
      closing,
    );
    const [url = ''] = plan.targets;
    return {
      ...{ component, logs },
      server: {
        url,
        get pid() {
          return component.pid;
        },
      },
    };
  },
});

type NamedCommand = Pick<
  CommandSpec,
  'name' | 'endMethod' | 'ladder' | 'lowPriority' | 'stopFirst' | 'confine'
>;

/** The shell of startProcess finds the program on PATH. */
const run = (
  plan: CommandPlan,
  [command = '', ...args]: CommandWords,
  context: StartContext,
  { name, ...options }: NamedCommand,
): Promise<SupervisedProcess> =>
  startProcess({
    ...{ name, command, args, ...options },
    env: environmentOf(plan, context.env),
    cwd: context.scenarioFolder,
    log: context.folder.file(`${name}.log`),
    watchdog: context.watchdog,
    endMethod: options.endMethod ?? 'tree',
  });

async function runReset(plan: CommandPlan, reset: CommandWords, context: StartContext): Promise<void> {
  const child = await run(plan, reset, context, { name: 'reset' });
  try {
    const inTime = await unlessAborted(settlesWithin(child.exited, plan.limit), context.signal);
    if (!inTime)
      throw failed(child, `did not end ${within(plan.limit)}`, 'give it more time with stack.within');
    const exit = await child.exited;
    if (exit.code !== 0) throw failed(child, `ended with ${describeExit(exit)}`, 'correct stack.reset');
  } finally {
    await child.stop();
  }
}

async function startCommand(
  plan: CommandPlan,
  context: StartContext,
  aborted: AbortSignal,
): Promise<ComponentProcess> {
  const { name, ready, limit, stop, patience = STOP_MS } = plan;
  const ladder: readonly Rung[] = [{ signal: 'SIGTERM', patience }, KILL];
  const stopFirst = async (): Promise<void> => {
    if (stop === null) return;
    const asking = await run(plan, stop, context, { name: `${name}-stop` }).catch(() => null);
    if (asking === null) return;
    await settlesWithin(asking.exited, STOP_MS);
    await asking.stop();
  };
  const server = await run(plan, plan.start, context, {
    ...{ name, stopFirst, ladder, lowPriority: true, confine: context.confine },
    endMethod: 'marked',
  });
  const printed = typeof ready === 'object' ? hasPrinted(server, ready.line) : null;
  const failure = new Promise<StackFailure>((resolve) => {
    void server.exited.then((exit) => {
      if (server.stopping) return;
      resolve({
        component: name,
        message: `the start command ended unexpectedly: ${describeExit(exit)}${tailOf(server)}`,
        hint:
          exit.signal === 'SIGKILL'
            ? 'check whether the host ran out of memory'
            : `it must run in the foreground; see logs/${name}.log`,
      });
    });
  });
  try {
    let problem = '';
    const isReady = async (signal: AbortSignal): Promise<void> => {
      if (printed !== null) return printed;
      for (;;) {
        const found =
          typeof ready === 'number' ? await portProblem('127.0.0.1', ready) : await urlProblem(String(ready));
        if (found === null) return;
        problem = `: ${found}`;
        await pause(POLL_MS, signal);
      }
    };
    const left = new AbortController();
    const end = AbortSignal.any([aborted, left.signal]);
    const waiting = isReady(end);
    waiting.catch(() => undefined);
    const inTime = await unlessAborted(
      settlesWithin(Promise.race([waiting, server.exited]), limit),
      aborted,
    ).finally(() => left.abort());
    // It may have ended while another process answered in its place.
    await pause(0);
    if (!inTime) {
      const asked =
        printed === null ? problem : `: no line of its output holds "${(ready as { line: string }).line}"`;
      throw failed(
        server,
        `was not ready ${within(limit)}${asked}`,
        'correct stack.ready, or give it more time with stack.within',
      );
    }
    if (server.hasEnded)
      throw failed(
        server,
        `ended while starting: ${describeExit(await server.exited)}`,
        'correct stack.start; it runs in the folder of the scenario, in the foreground, with PATH, HOME, TMPDIR, LANG and stack.environment only',
      );
    const answers = async (signal: AbortSignal): Promise<void> => {
      if (printed !== null) return;
      const inTime = await settlesWithin(isReady(signal), limit);
      if (!inTime) throw new Error(`it did not answer ${within(limit)}`);
    };
    return { process: server, failure, answers };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Resolves when the output holds the text. */
const hasPrinted = (server: SupervisedProcess, text: string): Promise<void> =>
  new Promise((resolve) => {
    let seen = '';
    server.onOutput((more) => {
      seen += more;
      if (seen.includes(text)) resolve();
      seen = seen.slice(-KEPT_OUTPUT);
    });
  });

/** Another server at the same address would be measured in place of this one. @throws CapbenchError (93) */
async function refuseListeners({ ready, targets }: CommandPlan): Promise<void> {
  const urls = [...targets, ...(typeof ready === 'string' ? [ready] : [])].map((text) => new URL(text));
  const addresses = urls.map(
    ({ hostname, port }) => [hostname.replace(/^\[|\]$/g, ''), Number(port) || 80] as const,
  );
  if (typeof ready === 'number') addresses.push(['127.0.0.1', ready]);
  for (const [host, port] of addresses) {
    if (!(await accepts(host, port, ANSWER_MS))) continue;
    throw stackFailed(
      `something listens at ${host}:${port} already, where the start command is expected to`,
      'end it, or load it as it is with --target',
    );
  }
}

/** Why a port accepts no connection; null where it does. */
const portProblem = async (host: string, port: number): Promise<string | null> =>
  (await accepts(host, port, ANSWER_MS)) ? null : `${host}:${port} accepts no connection`;

/** Why a URL does not answer 2xx; null where it does. */
async function urlProblem(url: string): Promise<string | null> {
  try {
    const { statusCode, body } = await request(url, { reset: true, signal: AbortSignal.timeout(ANSWER_MS) });
    await body.dump();
    return statusCode >= 200 && statusCode < 300 ? null : `${url} answered with status ${statusCode}`;
  } catch (error) {
    return `${url} does not answer: ${messageOf(error)}`;
  }
}

const tailOf = (child: SupervisedProcess): string => {
  const log = child.tail();
  return log === '' ? '' : `\n${log.replace(/^/gm, '  | ')}`;
};

const failed = (child: SupervisedProcess, what: string, hint: string) =>
  stackFailed(`${child.name} ${what}${tailOf(child)}`, hint);
