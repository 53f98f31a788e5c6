import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../src/cli.ts';
import { random } from '../../src/rng.ts';
import { memoryHost } from '../memory-host.ts';
import { type Ended, type Input, lay, type Target } from './input.ts';
import { faultsOf } from './invariants.ts';

/** An input by its coordinates: `report measurements`, 7, 123. */
export interface Coordinates {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
}

export interface Result extends Coordinates {
  readonly made: string;
  readonly code: number;
  readonly milliseconds: number;
  readonly faults: readonly string[];
}

export function inputOf(target: Target, seed: number, index: number): Input {
  let name = 0;
  for (const character of target.name) name = (name * 31 + character.charCodeAt(0)) | 0;
  return target.make(random(seed, name, index), index);
}

/** Runs one command line in this process, as `capbench` would. */
async function command(root: string, folder: string, argv: readonly string[], env: Input['env'] = {}) {
  const host = memoryHost(
    argv.map((word) => word.replaceAll('{folder}', folder)),
    { root, cwd: folder, env },
  );
  const code = await runCli(host);
  return { code, out: host.out(), err: host.err() };
}

/** Makes an input, gives it to its command in a folder of its own, and says what is wrong with what came of it. */
export async function execute(
  root: string,
  target: Target,
  { seed, index }: Omit<Coordinates, 'target'>,
  onEnd: (ended: Ended) => void = () => {},
): Promise<Result> {
  const input = inputOf(target, seed, index);
  const folder = mkdtempSync(join(tmpdir(), 'capbench-fuzz-'));
  try {
    lay(input, folder);
    const [begin, cpu] = [performance.now(), process.cpuUsage()];
    const { code, out, err } = await command(root, folder, input.argv, input.env);
    const elapsed = performance.now() - begin;
    const { user, system } = process.cpuUsage(cpu);
    const ended: Ended = {
      input,
      folder,
      code,
      out,
      err,
      milliseconds: Math.min(elapsed, (user + system) / 1e3),
      run: (argv) => command(root, folder, argv),
    };
    onEnd(ended);
    const faults = await faultsOf(target, ended);
    const { made, milliseconds } = { ...input, ...ended };
    return { target: target.name, seed, index, made, code, milliseconds, faults };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
