import { type Command, Option } from 'commander';

/** What the scenario verbs take from the command line, as given: it is read where its errors belong. */
export interface ScenarioFlags {
  readonly set: readonly string[];
  readonly scale?: string;
  readonly duration?: string;
  readonly seed?: string;
}

/** The argument and the options of every verb that works on a scenario. */
export const withScenario = (command: Command): Command =>
  scenarioOptions(
    command.argument('<scenario>', 'a name from `capbench list`, or the path of a scenario file'),
  );

/** The options alone. */
export const scenarioOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--set <path=value>', 'change one value of the scenario; may be repeated')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none'),
    )
    .option('--scale <factor>', 'multiply players and rates, 0.25 for a quarter')
    .option('--duration <time>', 'only the measure phase, such as 30s or 5m')
    .option('--seed <number>', 'random seed');
