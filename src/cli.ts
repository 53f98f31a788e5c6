import { Command, CommanderError, Help, type Option } from 'commander';
import { agentCommand } from './commands/agent.ts';
import { checkCommand } from './commands/check.ts';
import { compareCommand } from './commands/compare.ts';
import { doctorCommand } from './commands/doctor.ts';
import { duetCommand } from './commands/duet.ts';
import { exportCommand } from './commands/export.ts';
import { historyCommand } from './commands/history.ts';
import { initCommand } from './commands/init.ts';
import { listCommand } from './commands/list.ts';
import { metricsCommand } from './commands/metrics.ts';
import { reportCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { scoreCommand } from './commands/score.ts';
import { searchCommand } from './commands/search.ts';
import { serveCommand } from './commands/serve.ts';
import { setupCommand } from './commands/setup.ts';
import { sizeCommand } from './commands/size.ts';
import { CapbenchError, EXIT, type ExitCode, messageOf, refusalOf } from './errors.ts';
import { type Host, processHost } from './host.ts';

/**
 * The verbs, in the order of `--help`. Each is `xCommand(host): Command` in commands/x.ts. Its module is
 * loaded for every `--help`, so it only imports commander and its options; the action imports the
 * code that does the work. An action throws a CapbenchError, or sets `host.exitCode` for a result
 * that is not 0, or just resolves.
 */
const VERBS: readonly ((host: Host) => Command)[] = [
  runCommand,
  searchCommand,
  duetCommand,
  listCommand,
  checkCommand,
  metricsCommand,
  serveCommand,
  agentCommand,
  reportCommand,
  compareCommand,
  historyCommand,
  sizeCommand,
  scoreCommand,
  exportCommand,
  initCommand,
  doctorCommand,
  setupCommand,
];

const EXAMPLES = `
Examples:
  $ capbench run quickstart                  a verdict in about a minute
  $ capbench run m4pro-20k --scale 0.25      a quarter of 20,000 players
  $ capbench search quickstart               how many players this box holds
  $ capbench check m4pro-20k                 what a run would do
`;

/** The form in which every command reports a failure. */
function report(host: Host, message: string, hint?: string): void {
  host.stderr.write(`error: ${message}\n`);
  if (hint !== undefined) host.stderr.write(`hint: ${hint}\n`);
}

function reportBug(host: Host, thrown: unknown, verbose: boolean): void {
  report(
    host,
    `a bug in capbench: ${messageOf(thrown)}`,
    verbose ? undefined : 'run it again with --verbose for the stack trace, and report it with that',
  );
  if (verbose && thrown instanceof Error && thrown.stack !== undefined)
    host.stderr.write(`${thrown.stack}\n`);
}

/** Reports what a command threw; returns the exit code. */
function reportThrown(host: Host, thrown: unknown): ExitCode {
  const known = thrown instanceof CapbenchError ? thrown : refusalOf(thrown);
  if (known === null) {
    reportBug(host, thrown, wantsVerbose(host));
    return EXIT.bug;
  }
  report(host, known.message, known.hint);
  if (wantsVerbose(host) && known.cause !== undefined)
    host.stderr.write(`cause: ${messageOf(known.cause)}\n`);
  return known.exitCode;
}

/** An error of commander's, `error: unknown option '--scael'\n(Did you mean --scale?)`, in the form of this CLI. */
function reportUsage(host: Host, error: CommanderError): void {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\((Did you mean .*)\)/.exec(rest.join(' '))?.[1];
  const isScenario = error.code === 'commander.missingArgument' && first.includes("'scenario'");
  const help = isScenario
    ? 'capbench list names the scenarios, capbench <verb> --help the options'
    : 'capbench --help lists the verbs, capbench <verb> --help their options';
  report(host, first, suggestion ?? help);
}

/** An option that may be repeated is empty by default: that needs no words. */
const describe = (option: Option): string =>
  Array.isArray(option.defaultValue) ? option.description : new Help().optionDescription(option);

const wantsVerbose = (host: Host): boolean => host.argv.includes('--verbose');

export function programOf(host: Host): Command {
  const program = new Command('capbench')
    .description('Will this box hold this world? Capacity verdicts for persistent multiplayer servers.')
    .usage('<verb> [options]')
    .version(host.version, '-V, --version', 'print the version')
    .option('--verbose', 'print a stack trace when capbench itself fails')
    .helpOption('-h, --help', 'print this help, or that of a verb')
    .helpCommand('help [verb]', 'print the help of a verb')
    .configureHelp({ optionDescription: describe })
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => host.stdout.columns,
      getErrHelpWidth: () => host.stderr.columns,
      getOutHasColors: () => host.stdout.isTTY && host.env.NO_COLOR === undefined,
      getErrHasColors: () => host.stderr.isTTY && host.env.NO_COLOR === undefined,
    });
  for (const verb of VERBS) program.addCommand(verb(host).copyInheritedSettings(program));
  return program;
}

/** Runs one command line; resolves with the exit code. */
export async function runCli(host: Host): Promise<ExitCode> {
  try {
    await programOf(host).parseAsync([...host.argv], { from: 'user' });
    return host.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      // Help and version come as errors of code 0; help without a verb has printed itself already.
      if (thrown.exitCode === 0) return EXIT.pass;
      if (thrown.code !== 'commander.help') reportUsage(host, thrown);
      return EXIT.badInput;
    }
    return reportThrown(host, thrown);
  }
}

const allSystems: Host['systems'] = async () => (await import('./systems/registry.ts')).SYSTEMS;

/** The whole program: the only place that ends the process. */
export async function main(host: Host = processHost(allSystems)): Promise<void> {
  host.onCrash((thrown) => host.exit(reportThrown(host, thrown)));
  // A verb that has to close something installs its own listener.
  host.onSignal(() => host.exit(EXIT.interrupted));
  host.exit(await runCli(host));
}
