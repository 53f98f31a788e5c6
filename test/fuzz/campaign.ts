import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /** Tries nothing more; what was tried counts. */
  readonly signal?: AbortSignal;
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
const HANG_MS = 60_000;
/** Targets that are tried at once: a CPU for each. */
const LANES = 2;
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
export async function campaign(plan: Campaign): Promise<Summary> {
  const { root, inputs, only } = plan;
  const failures = new Map<string, Failure>();
  const chosen = TARGETS.map((target) => target(root)).filter(({ name }) => only === null || name === only);
  const shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const targets = chosen.map(
    ({ name }): TargetSummary => ({
      ...{ target: name, inputs: 0, codes: new Map(), memoryBytes: 0 },
      slowest: { milliseconds: 0, index: 0 },
    }),
  );
  // The processes are ended in the middle of an input at times: what they leave is in here.
  const folder = mkdtempSync(join(tmpdir(), 'capbench-fuzz-'));
  const left = [...chosen.keys()];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [target, summary] = [chosen[next], targets[next]];
      if (target === undefined || summary === undefined) return;
      await tryAll(plan, Math.round((target.share / shares) * inputs), summary, failures, folder);
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { targets, failures: [...failures.values()] };
}

async function tryAll(
  { root, seed, worker, onResult, hangMs = HANG_MS, signal }: Campaign,
  inputs: number,
  summary: TargetSummary,
  failures: Map<string, Failure>,
  folder: string,
): Promise<void> {
  const { target } = summary;
  const take = (result: Result): void => {
    summary.inputs += 1;
    summary.codes.set(result.code, (summary.codes.get(result.code) ?? 0) + 1);
    if (result.milliseconds > summary.slowest.milliseconds) summary.slowest = result;
    for (const fault of result.faults) {
      const kind = `${target}: ${kindOf(fault)}`;
      const known = failures.get(kind);
      if (known !== undefined) known.times += 1;
      else failures.set(kind, { target, fault, first: result, times: 1 });
    }
    onResult?.(result);
  };
  for (let from = 0; from < inputs && !signal?.aborted; ) {
    const share = { root, seed, target, from, to: inputs };
    const { reached, ended, memoryBytes } = await work({ worker, hangMs, signal, folder }, share, take);
    summary.memoryBytes = Math.max(summary.memoryBytes, memoryBytes);
    if (ended !== null) {
      take({ target, seed, index: reached, made: '?', code: -1, milliseconds: 0, faults: [ended] });
    }
    from = ended === null ? inputs : reached + 1;
  }
}

interface Bench {
  readonly worker: string;
  readonly hangMs: number;
  readonly signal: AbortSignal | undefined;
  /** For all that the inputs are made of. */
  readonly folder: string;
}

/** One process for a share of inputs; the next one goes on after the input that ended it. */
function work(
  { worker, hangMs, signal, folder }: Bench,
  share: Share,
  take: (result: Result) => void,
): Promise<{ readonly reached: number; readonly ended: string | null; readonly memoryBytes: number }> {
  return new Promise((resolve) => {
    const child: ChildProcess = fork(worker, [], {
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, TMPDIR: folder },
    });
    let reached = share.from;
    let finished = false;
    let hung = false;
    let memoryBytes = 0;
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4_000);
    });
    const stop = (): void => void child.kill('SIGKILL');
    const give = (): void => {
      hung = true;
      stop();
    };
    signal?.addEventListener('abort', stop, { once: true });
    let timer = setTimeout(give, hangMs);
    child.on('message', (word: Word) => {
      clearTimeout(timer);
      timer = setTimeout(give, hangMs);
      if (word.kind === 'trying') reached = word.index;
      else if (word.kind === 'tried') take(word.result);
      else finished = true;
      if (word.kind === 'trying') memoryBytes = word.memoryBytes;
    });
    child.once('exit', (code, by) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      const why = /out of memory|heap limit/i.test(log)
        ? 'needs more memory than there is'
        : `ends the process (${by ?? code}): ${log.trim().split('\n').at(-1) ?? ''}`;
      resolve({ reached, ended: finished || signal?.aborted ? null : hung ? 'hangs' : why, memoryBytes });
    });
    child.send(share);
  });
}
