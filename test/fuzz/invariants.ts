import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../src/errors.ts';
import { type Ended, fileOf, type Target } from './input.ts';

/** No input may take longer, in milliseconds. */
export const LONGEST_MS = 2_000;
/** People read the message about a bad input, so its length is limited. */
const MOST_SAID = 100_000;

const VERDICTS: readonly number[] = [
  EXIT.invalid,
  EXIT.dataLost,
  EXIT.stackFailed,
  EXIT.breached,
  EXIT.interrupted,
];
/** Texts that appear where a value was not handled. */
const SLIPS = ['undefined', '[object', 'NaN'];
const ARTEFACTS = ['report.json', 'summary.md', 'junit.xml', 'series.csv', 'report.html'];

/** The violations by the result of an input, in words; empty when there are none. */
export async function faultsOf(target: Target, ended: Ended): Promise<readonly string[]> {
  const faults = [...endOf(target, ended), ...words(ended)];
  // What else must hold is only asked of a command that has not broken down.
  if (target.check !== undefined && faults.length === 0) faults.push(...(await target.check(ended)));
  return faults;
}

function endOf(target: Target, { code, out, err, milliseconds, folder, input }: Ended): string[] {
  const faults: string[] = [];
  const bug = /a bug in capbench: (.*)/.exec(err)?.[1];
  if (bug !== undefined) faults.push(`a bug: ${bug}`);
  else if (!target.exits.includes(code)) faults.push(`exit code ${code} is not documented for it`);
  if (milliseconds > LONGEST_MS) faults.push(`took longer than ${LONGEST_MS} ms`);
  const refused = code === EXIT.badInput;
  const asJson = input.argv.includes('--json') && input.argv[0] === 'check';
  if (refused && !/^error: ./m.test(err) && !(asJson && /"ok": false/.test(out)))
    faults.push('refused without an error line');
  if (!refused && /^error: /m.test(err) && bug === undefined)
    faults.push('an error line beside another ending');
  if (VERDICTS.includes(code) && !out.includes(`(${code})`) && !out.includes(`"exitCode": ${code}`)) {
    faults.push('a verdict that is not printed');
  }
  if (refused && err.length > MOST_SAID) faults.push('says far too much');
  if (refused && input.argv[0] === 'report') faults.push(...leftBehind(join(folder, 'bundle'), input));
  return faults;
}

/** A bundle that cannot be read is left as it was. */
function leftBehind(bundle: string, { files }: Ended['input']): string[] {
  if (!existsSync(bundle)) return [];
  const laid = new Set(files.map(([name]) => name.replace(/^bundle\//, '')));
  const more = readdirSync(bundle).filter((name) => !laid.has(name));
  return more.length === 0 || files.some(([name]) => !/measurements|scenario/.test(name))
    ? []
    : [`refused, and left ${more.join(', ')} behind`];
}

function words({ out, err, folder, input, code }: Ended): string[] {
  const faults: string[] = [];
  const texts = [`${out}\n${err}`];
  if (code !== EXIT.badInput && input.argv[0] === 'report') {
    for (const name of ARTEFACTS) {
      const path = join(folder, 'bundle', name);
      if (existsSync(path) && fileOf(input, `bundle/${name}`) === undefined)
        texts.push(readFileSync(path, 'utf8'));
    }
  }
  // Images are base64: any word may be in them.
  const text = texts.join('\n').replaceAll(/;base64,[^"]*/g, '');
  if (/^\s+at .*[:(]\d+:\d+\)?$/m.test(text)) faults.push('a stack trace');
  const given = givenBy(input);
  for (const slip of SLIPS) {
    const where = text.indexOf(slip);
    if (where < 0 || given.includes(slip)) continue;
    faults.push(
      `says ${slip}, "${text.slice(Math.max(0, where - 40), where + 30).replaceAll(/["\s]+/g, ' ')}"`,
    );
  }
  return faults;
}

/** All that stands in the input: what it says itself is no slip of ours. */
const givenBy = ({ argv, env, files }: Ended['input']): string =>
  [
    ...argv,
    ...Object.values(env),
    ...files.map(([, content]) =>
      typeof content === 'string'
        ? content
        : content instanceof Uint8Array
          ? Buffer.from(content).toString('latin1')
          : '',
    ),
  ].join('\n');
