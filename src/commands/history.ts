import { Command } from 'commander';
import type { Host } from '../host.ts';
import type { HistoryFlags } from './execute-history.ts';
import { several } from './options.ts';

const EXAMPLES = `
Examples:
  $ capbench history add perf-history reports/latest
  $ capbench history check perf-history
  $ capbench history show perf-history --html history.html

The folder may be on a branch of its own, or an artefact that jobs pass on. It needs
no service.
`;

const ADD_EXAMPLES = `
Examples:
  $ capbench history add perf-history reports/latest
  $ capbench history add perf-history reports/quickstart-*

The folder of the history comes first, then what is added to it: bundles of
\`capbench run\`, or folders of --trials, which make one line. The same run is not added
twice. Several jobs may add at once; branches are merged by keeping the lines of both,
which .gitattributes in the folder says to git.
`;

const CHECK_EXAMPLES = `
Examples:
  $ capbench history check perf-history
  $ capbench history check perf-history --recent 3 --threshold 3% --metric cpuPerOperation
  $ capbench history check perf-history --json | jq -r .headline

A regression: the newest change of a metric of the gate is one for the worse, and began
within the last runs of its series (--recent). Of each scenario the series of its newest
run decides; runs on another machine, with other settings or of another load are series
of their own.

Exit codes: 0 no recent change for the worse, 90 too few runs, 91 regression,
104 the history cannot be read.
`;

/** What both commands that look at a history have. */
const looking = (command: Command): Command =>
  command
    .argument('<folder>', 'the folder of the history')
    .option('--threshold <percent>', "a smaller change is none (default: that of the scenario's gate, or 5%)")
    .option('--confidence <percent>', "how sure a change has to be (default: the gate's, or 99%)")
    .addOption(several('--metric <name>', 'decides, instead of the metrics of the gate; repeatable'))
    .option('--recent <runs>', 'a change is new for so many runs (default: 10)')
    .option('--least-runs <number>', 'a series of fewer runs shows nothing (default: 10)')
    .option('--window <runs>', 'runs that are searched together (default: 50)')
    .option('--html <file>', 'also write a page with a chart of each metric')
    .option('--json', 'print every series and change as JSON')
    .option('--quiet', 'print only the verdict')
    .option('--no-color', 'print no colours');

/** `capbench history`: runs over weeks, and since when they are slower. */
export function historyCommand(host: Host): Command {
  const add = new Command('add')
    .description('add runs to a history')
    .argument('<folder>', 'the folder of the history; it is made where there is none')
    .argument('<bundle...>', 'folders that `capbench run` wrote, such as reports/latest')
    .addHelpText('after', ADD_EXAMPLES)
    .action(async (folder: string, bundles: readonly string[]) => {
      const { executeHistoryAdd } = await import('./execute-history.ts');
      host.exitCode = await executeHistoryAdd(host, folder, bundles);
    });
  const show = looking(new Command('show'))
    .description('every series of a history, and where its metrics changed')
    .action(async (folder: string, flags: HistoryFlags) => {
      const { executeHistoryShow } = await import('./execute-history.ts');
      host.exitCode = await executeHistoryShow(host, folder, flags);
    });
  const check = looking(new Command('check'))
    .description('whether a metric became worse within the last runs')
    .option('--all', 'every series decides, not only the newest of each scenario')
    .addHelpText('after', CHECK_EXAMPLES)
    .action(async (folder: string, flags: HistoryFlags) => {
      const { executeHistoryCheck } = await import('./execute-history.ts');
      host.exitCode = await executeHistoryCheck(host, folder, flags);
    });
  return new Command('history')
    .description('keep the figures of runs, and find since when they are worse')
    .addCommand(add)
    .addCommand(show)
    .addCommand(check)
    .addHelpText('after', EXAMPLES);
}
