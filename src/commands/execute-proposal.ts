import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { badInput, CapbenchError, messageOf } from '../errors.ts';
import type { Host } from '../host.ts';
import { AccessLog } from '../proposal/access-log.ts';
import { cleanProposal } from '../proposal/clean-proposal.ts';
import { fromArtillery } from '../proposal/from-artillery.ts';
import { fromK6 } from '../proposal/from-k6.ts';
import type { Proposal } from '../proposal/proposal.ts';
import { allLeftOut, leftOutText, type ProposedFiles, proposedFiles } from '../proposal/scenario-text.ts';
import { wrap } from '../report/terminal-text.ts';
import { NO_OVERRIDES } from '../scenario/overrides.ts';
import { ScenarioError } from '../scenario/problem.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { FILES, pathToSchema, writeFiles } from './execute-init.ts';

/** What a scenario is proposed from; one of them is given. */
export interface SourceFlags {
  readonly fromK6?: string;
  readonly fromArtillery?: string;
  readonly fromLog?: string;
}

/** Larger than any script that is written by hand. */
const LARGEST_SCRIPT = 5 * 2 ** 20;
/** A longer line of a log is cut off. */
const LONGEST_LINE = 64 * 2 ** 10;
/** Of what is not carried over, lines that are printed; the file has all. */
const MOST_PRINTED = 12;

/** Writes a scenario that another tool's file, or a log, leads to, and a module where its players need one. */
export async function writeProposal(host: Host, folder: string, flags: SourceFlags): Promise<void> {
  const proposal = cleanProposal(await proposed(host, flags), (text) => host.redaction.text(text));
  const files = proposedFiles(proposal);
  await check(host, files.scenario);
  const names = files.module === null ? [FILES[0]] : FILES;
  const { entered } = await writeFiles(host, folder, names, async (name, into) =>
    name === FILES[0] ? await withSchema(files, into) : (files.module ?? ''),
  );
  const commands = [...files.scenario.matchAll(/^# {3}(npx capbench .*)$/gm)].map(
    ([, command = '']) => command,
  );
  host.stdout.write(`${summaryOf(proposal, host.stdout.columns)}\n${entered}${commands.join('\n')}\n`);
}

async function withSchema({ scenario }: ProposedFiles, folder: string): Promise<string> {
  const schema = await pathToSchema(folder);
  return schema === null ? scenario : `# yaml-language-server: $schema=${schema}\n${scenario}`;
}

async function proposed(host: Host, flags: SourceFlags): Promise<Proposal> {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw badInput(
      'init: got more than one of --from-k6, --from-artillery and --from-log, expected one',
      'propose a scenario from each in a folder of its own',
    );
  }
  const { fromK6: script, fromArtillery: test, fromLog: log } = flags;
  if (script !== undefined) return fromK6(basename(script), await textOf(host, '--from-k6', script));
  if (test !== undefined) return fromArtillery(basename(test), await textOf(host, '--from-artillery', test));
  return fromLog(host, log ?? '');
}

/** A file of its option, as text. */
async function textOf(host: Host, option: string, file: string): Promise<string> {
  await expectFile(host, option, file);
  const bytes = await readFile(resolve(host.cwd, file));
  if (bytes.length > LARGEST_SCRIPT)
    throw badInput(`${option}: ${file} has more than 5 MB, expected a script`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badInput(
      `${option}: ${file} is not UTF-8 text`,
      'name the script itself, and not an archive of it',
    );
  }
}

async function expectFile(host: Host, option: string, file: string): Promise<void> {
  const found = await stat(resolve(host.cwd, file)).catch((thrown: unknown) => thrown);
  if (found instanceof Error)
    throw badInput(`${option}: ${file}: ${messageOf(found)}`, 'name a file that you may read');
  // Opening a pipe without a writer would block.
  if (!(found as { isFile(): boolean }).isFile()) throw badInput(`${option}: ${file} is not a file`);
}

async function fromLog(host: Host, file: string): Promise<Proposal> {
  await expectFile(host, '--from-log', file);
  const log = new AccessLog();
  try {
    for await (const line of linesOf(resolve(host.cwd, file))) log.add(line);
  } catch (thrown) {
    if (thrown instanceof CapbenchError) throw thrown;
    throw badInput(`--from-log: ${file}: ${messageOf(thrown)}`, 'name a file that you may read');
  }
  const proposal = log.bad > log.read ? null : log.proposal(basename(file));
  if (proposal === null) {
    const { firstBad } = log;
    const what =
      firstBad === null ? 'no request was found' : `${log.bad} of ${log.lines} lines could not be read`;
    throw badInput(
      `${file}:${firstBad?.line ?? 1}:1: ${what}, expected an access log in Common or Combined Log Format, or JSON lines`,
      'such as 127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /items HTTP/1.1" 200 512; unpack a compressed log first',
    );
  }
  return proposal;
}

/** The lines of a file of any size. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 2 ** 18 })) {
    const lines = (rest + String(chunk)).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) yield line.slice(0, LONGEST_LINE);
  }
  if (rest !== '') yield rest;
}

/** A proposal passes `capbench check`, or is not written. */
async function check(host: Host, scenario: string): Promise<void> {
  const bytes = new TextEncoder().encode(scenario);
  try {
    readScenario(
      { file: FILES[0], bytes },
      { systems: await host.systems(), claims: new Map() },
      NO_OVERRIDES,
    );
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown;
    throw badInput(
      `init: what was found makes no scenario that can be run: ${thrown.problems
        .slice(0, 3)
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; ')}`,
      'name a file with fewer or smaller values, or begin with capbench init',
    );
  }
}

/** What was found, and what was not carried over. */
function summaryOf(proposal: Proposal, columns: number): string {
  const { description } = proposal;
  const leftOut = allLeftOut(proposal);
  const width = Math.max(40, columns - 4);
  const shown = leftOut.slice(0, MOST_PRINTED);
  const rest = leftOut.length - shown.length;
  const bullets = shown.flatMap((one) =>
    wrap(leftOutText(one), width).map((line, i) => `${i === 0 ? '  • ' : '    '}${line}`),
  );
  return [
    ...wrap(description, columns),
    ...(leftOut.length === 0 ? [] : ['not carried over:', ...bullets]),
    ...(rest > 0 ? [`  and ${rest} more, which the scenario names`] : []),
    '',
  ].join('\n');
}
