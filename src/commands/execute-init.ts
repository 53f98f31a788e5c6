import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';

export const FILES = ['my-world.yaml', 'my-player.mjs'] as const;

/** Makes the folder and its missing parents. Node's own `recursive` never ends below /proc. */
async function makeFolder(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => null)) !== null) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder);
}

const SCHEMA = join('fixtures', 'schema', 'scenario.schema.json');
/** The line that names the JSON Schema of a scenario to editors. */
const FOR_EDITORS = /^# yaml-language-server: .*\n/;

/**
 * The path from the folder to the schema of the capbench that Node would resolve there; null where it is installed
 * elsewhere: npx removes its folders again.
 */
export async function pathToSchema(folder: string): Promise<string | null> {
  for (let above = folder; ; above = dirname(above)) {
    const file = join(above, 'node_modules', 'capbench', SCHEMA);
    if ((await stat(file).catch(() => null)) !== null) return relative(folder, file).replaceAll('\\', '/');
    if (dirname(above) === above) return null;
  }
}

/** The text of one of the two files for this folder. */
async function textOf(host: Host, name: string, folder: string): Promise<string> {
  const text = await readFile(join(host.root, 'fixtures', 'init', name), 'utf8');
  const schema = await pathToSchema(folder);
  return text.replace(FOR_EDITORS, schema === null ? '' : `# yaml-language-server: $schema=${schema}\n`);
}

/** The comment at the head of the scenario: its commands. */
async function howToRun(scenario: string): Promise<string> {
  const [comment = ''] =
    /^(?:#.*\n)+/.exec((await readFile(scenario, 'utf8')).replace(FOR_EDITORS, '')) ?? [];
  return comment.replaceAll(/^# {3}/gm, '');
}

/** Writes the two files that stand for a server of any kind, and prints the commands. */
export async function writeStart(host: Host, folder: string): Promise<void> {
  const { target, entered } = await writeFiles(host, folder, FILES, (name, into) => textOf(host, name, into));
  host.stdout.write(`${entered}${await howToRun(join(target, FILES[0]))}`);
}

/**
 * Writes files into a folder, which is made if it is not there, and prints their names. Resolves to the folder, and to
 * the command that enters it.
 * @throws CapbenchError (104) where one of them exists, or the folder cannot be used
 */
export async function writeFiles<Name extends string>(
  host: Host,
  folder: string,
  names: readonly Name[],
  textFor: (name: Name, target: string) => Promise<string>,
): Promise<{ readonly target: string; readonly entered: string }> {
  // Probably an unset variable, which does not mean the present folder.
  if (folder.trim() === '') {
    throw badInput(
      `init: got '${folder}', expected the name of a folder`,
      'capbench init writes into this one',
    );
  }
  if (/[\p{Cc}\p{Cf}]/u.test(folder)) {
    throw badInput(
      'init: the name of the folder has invisible characters',
      'the clipboard may have added them: type the name',
    );
  }
  const target = resolve(host.cwd, folder);
  const there = await Promise.all(names.map((name) => stat(join(target, name)).catch(() => null)));
  const taken = names.find((_name, index) => there[index] !== null);
  if (taken !== undefined) {
    throw badInput(
      `${join(folder, taken)} already exists, and is not overwritten`,
      'name another folder: capbench init load-test',
    );
  }
  try {
    await makeFolder(target);
    for (const name of names) {
      // Exclusive: a file that was created meanwhile is not overwritten either.
      await writeFile(join(target, name), await textFor(name, target), { flag: 'wx' });
    }
  } catch (thrown) {
    throw badInput(`${folder}: ${messageOf(thrown)}`, 'name a folder that you may write to');
  }
  const near = relative(host.cwd, target);
  // cd would take a leading dash for an option.
  const path = near.startsWith('-') ? `./${near}` : near;
  const enter =
    path === '' ? '' : `cd ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`}\n`;
  host.stdout.write(`${names.map((name) => `wrote ${join(near, name)}\n`).join('')}\n`);
  return { target, entered: enter };
}
