import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { badInput, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';

const FILES = ['my-world.yaml', 'my-player.mjs'] as const;

/** The folder, and those above it that are not there. Node's own `recursive` never ends below /proc. */
async function makeFolder(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => null)) !== null) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder);
}

const SCHEMA = join('fixtures', 'schema', 'scenario.schema.json');
/** By which a scenario names its JSON Schema to editors. */
const FOR_EDITORS = /^# yaml-language-server: .*\n/;

/**
 * From the folder to the schema of the capbench that is installed for it, as Node would find it; null where it is
 * installed elsewhere: a path into npx's own folders would lead nowhere tomorrow.
 */
async function pathToSchema(folder: string): Promise<string | null> {
  for (let above = folder; ; above = dirname(above)) {
    const file = join(above, 'node_modules', 'capbench', SCHEMA);
    if ((await stat(file).catch(() => null)) !== null) return relative(folder, file).replaceAll('\\', '/');
    if (dirname(above) === above) return null;
  }
}

/** One of the two files as it is to stand in the folder. */
async function textOf(host: Host, name: string, folder: string): Promise<string> {
  const text = await readFile(join(host.root, 'fixtures', 'init', name), 'utf8');
  const schema = await pathToSchema(folder);
  return text.replace(FOR_EDITORS, schema === null ? '' : `# yaml-language-server: $schema=${schema}\n`);
}

/** What stands above the scenario: its commands, each after a comment. */
async function howToRun(scenario: string): Promise<string> {
  const [comment = ''] =
    /^(?:#.*\n)+/.exec((await readFile(scenario, 'utf8')).replace(FOR_EDITORS, '')) ?? [];
  return comment.replaceAll(/^# {3}/gm, '');
}

/** Writes the two files into a folder that has neither; throws exit code 104 where it has one, or is none. */
export async function writeStart(host: Host, folder: string): Promise<void> {
  // A variable that is not set, likely: it does not mean this folder.
  if (folder.trim() === '') {
    throw badInput(
      `init: got '${folder}', expected the name of a folder`,
      'capbench init writes into this one',
    );
  }
  if (/[\p{Cc}\p{Cf}]/u.test(folder)) {
    throw badInput(
      'init: the name of the folder has characters that cannot be seen',
      'such as an escape sequence from the clipboard: type the name',
    );
  }
  const target = resolve(host.cwd, folder);
  const there = await Promise.all(FILES.map((name) => stat(join(target, name)).catch(() => null)));
  const taken = FILES.find((_name, index) => there[index] !== null);
  if (taken !== undefined) {
    throw badInput(
      `${join(folder, taken)} already exists, and is not overwritten`,
      'name a folder of its own: capbench init load-test',
    );
  }
  try {
    await makeFolder(target);
    for (const name of FILES) {
      // Exclusive: what came in between stays, too.
      await writeFile(join(target, name), await textOf(host, name, target), { flag: 'wx' });
    }
  } catch (thrown) {
    throw badInput(`${folder}: ${messageOf(thrown)}`, 'name a folder that may be written to');
  }
  const near = relative(host.cwd, target);
  // What begins with a dash would be an option of cd's.
  const path = near.startsWith('-') ? `./${near}` : near;
  const enter =
    path === '' ? '' : `cd ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`}\n`;
  const wrote = FILES.map((name) => `wrote ${join(near, name)}\n`).join('');
  host.stdout.write(`${wrote}\n${enter}${await howToRun(join(target, FILES[0]))}`);
}
