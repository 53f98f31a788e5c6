import { open, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { badInput, type CapbenchError, refusalOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { makeFolders, unwritable } from '../measurement/bundle.ts';
import type { FixedPathFlags } from './fixed-path-options.ts';

/** One file beside the bundle. */
export interface FixedPath {
  /** What of the bundle it is a copy of. */
  readonly artefact: string;
  readonly path: string;
}

const ARTEFACTS = { junit: 'junit.xml', summary: 'summary.md', report: 'report.html' } as const;
const OPTIONS = ['junit', 'summary', 'report'] as const satisfies readonly (keyof FixedPathFlags)[];

/**
 * Sees before a run that each file can be written, and makes its folder. What lies there is taken away: a job that
 * ends too early must not leave the verdict of an earlier one.
 *
 * @param inputs what the command reads, which is not taken away
 * @throws CapbenchError (104) when one cannot be written, or two are the same
 */
export async function openFixedPaths(
  host: Host,
  flags: FixedPathFlags,
  inputs: readonly string[],
): Promise<readonly FixedPath[]> {
  const opened: FixedPath[] = [];
  for (const option of OPTIONS) {
    const given = flags[option];
    if (given === undefined) continue;
    const path = resolve(host.cwd, given);
    if (given === '') throw badInput(`--${option}: no file is named`);
    if (opened.some((other) => other.path === path)) {
      throw badInput(`--${option}: ${given} is named twice`, 'give each format a file of its own');
    }
    if (
      await isOneOf(
        path,
        inputs.map((input) => resolve(host.cwd, input)),
      )
    ) {
      throw badInput(`--${option}: ${given} is what this command reads`, 'name another file');
    }
    await clear(`--${option}: ${given}`, path);
    opened.push({ artefact: ARTEFACTS[option], path });
  }
  return opened;
}

/** Whether a path leads to the same file as one of the others. */
async function isOneOf(path: string, others: readonly string[]): Promise<boolean> {
  const identify = (at: string) => realpath(at).catch(() => null);
  const own = await identify(path);
  return own !== null && (await Promise.all(others.map(identify))).includes(own);
}

async function clear(shown: string, path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) {
    throw badInput(`${shown} is ${found.isDirectory() ? 'a folder' : 'no file'}`, 'name a file');
  }
  try {
    await makeFolders(dirname(path));
    await (await open(path, 'w')).close();
  } catch (thrown) {
    throw refusalOf(thrown) ?? unwritable(shown, thrown, 'name a file in a folder that can be written to');
  }
  // One that cannot be taken away is at least empty.
  await rm(path, { force: true }).catch(() => undefined);
}

/** Writes what was asked for. Resolves with what went wrong; the bundle is there all the same. */
export async function writeFixedPaths(
  host: Host,
  files: readonly FixedPath[],
  artefacts: ReadonlyMap<string, string | Uint8Array>,
): Promise<readonly CapbenchError[]> {
  const failures: CapbenchError[] = [];
  for (const { artefact, path } of files) {
    const clean = host.redaction.artefact(artefact, artefacts.get(artefact) ?? '');
    try {
      if (clean === null) throw new Error('a secret would be in it');
      await writeFile(path, clean);
    } catch (thrown) {
      failures.push(unwritable(path, thrown, 'the bundle holds the same'));
    }
  }
  return failures;
}
