import { type ChildProcess, fork } from 'node:child_process';
import type { Result } from './execute.ts';
import { TARGETS } from './targets.ts';
import type { Share, Word } from './worker.ts';

export interface Campaign {
  readonly root: string;
  readonly seed: number;
  /** Over all targets. */
  readonly inputs: number;
  /** One target alone; null for all. */
  readonly only: string | null;
  /** The bundled worker.ts. */
  readonly worker: string;
  readonly onResult?: (result: Result) => void;
  /** Without a word for so long, an input is taken to hang. */
  readonly hangMs?: number;
}

/** One kind of failure, and the first input that showed it. */
export interface Failure {
  readonly target: string;
  readonly fault: string;
  readonly first: { readonly seed: number; readonly index: number; readonly made: string };
  times: number;
}

/** What became of a target's inputs. */
export interface TargetSummary {
  readonly target: string;
  inputs: number;
  /** Exit code -> inputs. */
  readonly codes: Map<number, number>;
  slowest: { milliseconds: number; index: number };
  memoryBytes: number;
}

export interface Summary {
  readonly targets: readonly TargetSummary[];
  readonly failures: readonly Failure[];
}

/** Far more than the limit, on a machine that is busy. */
const HANG_MS = 20_000;
/** More than any of these commands needs; an input that makes one need more ends it. */
const HEAP_MB = 400;

/** Numbers, quoted words and paths differ from input to input: failures are of one kind without them. */
const kindOf = (fault: string): string =>
  fault
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\/\S+/g, '/')
    .replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, 'N')
    .slice(0, 120);

/** Tries so many inputs of one seed on every target. */
export async function campaign({
  root,
  seed,
  inputs,
  only,
  worker,
  onResult,
  hangMs = HANG_MS,
}: Campaign): Promise<Summary> {
  const failures = new Map<string, Failure>();
  const targets: TargetSummary[] = [];
  const chosen = TARGETS.map((target) => target(root)).filter(({ name }) => only === null || name === only);
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  for (const { name, share } of chosen) {
    const summary: TargetSummary = {
      target: name,
      inputs: 0,
      codes: new Map(),
      slowest: { milliseconds: 0, index: 0 },
      memoryBytes: 0,
    };
    targets.push(summary);
    const take = (result: Result): void => {
      summary.inputs += 1;
      summary.codes.set(result.code, (summary.codes.get(result.code) ?? 0) + 1);
      if (result.milliseconds > summary.slowest.milliseconds) summary.slowest = result;
      for (const fault of result.faults) {
        const kind = `${name}: ${kindOf(fault)}`;
        const known = failures.get(kind);
        if (known !== undefined) known.times += 1;
        else failures.set(kind, { target: name, fault, first: result, times: 1 });
      }
      onResult?.(result);
    };
    const to = Math.round((share / shares) * inputs);
    for (let from = 0; from < to; ) {
      const { reached, ended, memoryBytes } = await work(
        worker,
        { root, seed, target: name, from, to },
        hangMs,
        take,
      );
      summary.memoryBytes = Math.max(summary.memoryBytes, memoryBytes);
      if (ended !== null) {
        take({ target: name, seed, index: reached, made: '?', code: -1, milliseconds: 0, faults: [ended] });
      }
      from = ended === null ? to : reached + 1;
    }
  }
  return { targets, failures: [...failures.values()] };
}

/** One process for a share of inputs; the next one goes on after the input that ended it. */
function work(
  worker: string,
  share: Share,
  hangMs: number,
  take: (result: Result) => void,
): Promise<{ readonly reached: number; readonly ended: string | null; readonly memoryBytes: number }> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(worker, [], {
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    let reached = share.from;
    let finished = false;
    let hung = false;
    let memoryBytes = 0;
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000);
    });
    const give = (): void => {
      hung = true;
      child.kill('SIGKILL');
    };
    let timer = setTimeout(give, hangMs);
    child.on('message', (word: Word) => {
      clearTimeout(timer);
      timer = setTimeout(give, hangMs);
      if (word.kind === 'trying') reached = word.index;
      else if (word.kind === 'tried') take(word.result);
      else {
        finished = true;
        memoryBytes = word.memoryBytes;
      }
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      const why = /out of memory|heap limit/i.test(log)
        ? 'needs more memory than there is'
        : `ends the process (${signal ?? code}): ${log.trim().split('\n').at(-1) ?? ''}`;
      resolve({ reached, ended: finished ? null : hung ? 'hangs' : why, memoryBytes });
    });
    child.send(share);
  });
}
