import { Command } from 'commander';
import type { Host } from '../host.ts';
import { VERDICT_FORMATS } from '../report/format.ts';
import type { CompareFlags } from './execute-compare.ts';
import { withFormat } from './format.ts';
import { withGate } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench run ./my-world.yaml --trials 10 --out main      (then the other version, --out pr)
  $ capbench compare main pr
  $ capbench compare main pr --threshold 10% --metric default --metric latencyP95
  $ capbench compare main pr --format comment > comment.md
  $ capbench compare --base main/a main/b --head pr/* --summary comparison.md

A folder is a bundle, that of --trials, or holds such folders; each run is one trial.

Exit codes: 0 not worse, 91 a regression, 90 no conclusion: too few trials, or not
comparable (another machine, scenario or version), 104 bad input.
`;

/** `capbench compare`: whether one version is worse than another, by recorded trials. */
export const compareCommand = (host: Host): Command =>
  withFormat(
    withGate(
      new Command('compare')
        .description('say whether a version is worse than another, from recorded trials of both')
        .argument('[base]', 'a folder with trials of the version before')
        .argument('[head]', 'a folder with trials of the version after')
        .option('--base <folders...>', 'further folders of the version before')
        .option('--head <folders...>', 'further folders of the version after'),
    ),
    VERDICT_FORMATS,
  )
    .option('--paired', 'the trials were run in pairs, one of each version right after the other')
    .option('--out <folder>', 'write comparison.json, .html and .md into this folder')
    .option('--summary <file>', 'write comparison.md here: a comment for a pull request')
    .option('--report <file>', 'write comparison.html here')
    .option('--quiet', 'print only the verdict')
    .option('--json', 'print comparison.json instead of the table')
    .option('--no-color', 'print no colours')
    .addHelpText('after', EXAMPLES)
    .action(async (base: string | undefined, head: string | undefined, flags: CompareFlags) => {
      const { executeCompare } = await import('./execute-compare.ts');
      host.exitCode = await executeCompare(host, [base, head], flags);
    });
