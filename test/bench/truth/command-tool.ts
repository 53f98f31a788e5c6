import { execFile } from 'node:child_process';
import type { BenchRun } from '../bench-run.ts';
import type { Offer, Reading, Tool } from './tool.ts';

/** A load generator with a command line. */
export interface CommandTool {
  readonly name: string;
  readonly wire: Tool['wire'];
  readonly obtain: string;
  readonly program: string;
  /** What goes before all arguments: the script of a program that node runs. */
  readonly script?: string;
  /** Asks for its version; some say it on stderr, or end with a code of their own. */
  readonly versionArguments: readonly string[];
  readonly version: RegExp;
  arguments(offer: Offer, run: BenchRun): Promise<readonly string[]> | readonly string[];
  /** Reads its output. @throws when it is not what was expected. */
  read(output: string, offer: Offer): Reading;
}

interface Said {
  readonly out: string;
  readonly all: string;
  readonly failure: Error | null;
}

const LONGEST_OUTPUT = 2 ** 24;
const VERSION_MS = 10_000;
/** To start, to connect, and to print. */
const SPARE_MS = 20_000;

const ask = (program: string, words: readonly string[], timeout: number, signal?: AbortSignal) =>
  new Promise<Said>((resolve) => {
    execFile(
      program,
      [...words],
      {
        encoding: 'utf8',
        maxBuffer: LONGEST_OUTPUT,
        timeout,
        killSignal: 'SIGKILL',
        ...(signal && { signal }),
      },
      (failure, out, err) => resolve({ out, all: out + err, failure }),
    );
  });

export function commandTool(tool: CommandTool): Tool {
  const before = tool.script === undefined ? [] : [tool.script];
  return {
    ...{ name: tool.name, wire: tool.wire, obtain: tool.obtain, ours: false },
    async version() {
      const { all } = await ask(tool.program, [...before, ...tool.versionArguments], VERSION_MS);
      return tool.version.exec(all)?.[1] ?? null;
    },
    async measure(run, offer) {
      const words = [...before, ...(await tool.arguments(offer, run))];
      const { out, all, failure } = await ask(
        tool.program,
        words,
        offer.seconds * 1e3 + SPARE_MS,
        run.signal,
      );
      run.signal.throwIfAborted();
      if (failure !== null) throw new Error(`${tool.name} failed: ${failure.message}\n${all.slice(-500)}`);
      return tool.read(out, offer);
    },
  };
}

/** The number that a pattern's first group finds. @throws when it is not there */
export function numberIn(output: string, pattern: RegExp): number {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`no ${pattern} in:\n${output.slice(0, 2000)}`);
  return Number(found);
}
