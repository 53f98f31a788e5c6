import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../../src/rng.ts';

/** What lies at a place of the input's folder. */
export type Content =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly folder: true }
  | { readonly pipe: true }
  /** A file of so many bytes, none of them written. */
  | { readonly hole: number };

/** One command line with the files that it reads. */
export interface Input {
  /** `{folder}` is where the files lie. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly (readonly [name: string, content: Content])[];
  /** In a few words, how it came about. */
  readonly made: string;
}

/** One verb under attack. The same seed and index always make the same input. */
export interface Target {
  readonly name: string;
  /** Of all inputs. */
  readonly share: number;
  /** The exit codes that the verb is documented to end with. */
  readonly exits: readonly number[];
  make(next: Random, index: number): Input;
  /** What else must hold of an outcome, in words; empty when it does. */
  check?(ended: Ended): Promise<readonly string[]>;
}

/** What an input led to. */
export interface Ended {
  readonly input: Input;
  /** Where the files lie. */
  readonly folder: string;
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The lesser of elapsed time and of CPU time: another process's load is no slowness of ours. */
  readonly milliseconds: number;
  /** Runs another command line, for what a verb has said must hold of another one. */
  run(
    argv: readonly string[],
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

export const fileOf = (input: Input, name: string): Content | undefined =>
  input.files.findLast(([one]) => one === name)?.[1];

/** Writes an input's files; a later one of a name replaces an earlier one. */
export function lay(input: Input, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of input.files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { recursive: true, force: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(path, content);
    else if ('link' in content) symlinkSync(content.link, path);
    else if ('folder' in content) mkdirSync(path);
    else if ('pipe' in content) execFileSync('mkfifo', [path]);
    else {
      const file = openSync(path, 'w');
      ftruncateSync(file, content.hole);
      closeSync(file);
    }
  }
}

/** A command line as a shell takes it, for whoever looks into a failure. */
export const commandLine = (input: Input, folder: string): string =>
  [
    ...Object.entries(input.env).map(([name, value]) => `${name}=${shellWord(value)}`),
    'capbench',
    ...input.argv.map((word) => shellWord(word.replaceAll('{folder}', folder))),
  ].join(' ');

const shellWord = (word: string): string => {
  const cut = word.length > 200 ? `${word.slice(0, 200)}...` : word;
  return /^[\w./=:-]+$/.test(cut) ? cut : JSON.stringify(cut);
};
