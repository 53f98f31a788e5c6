import { z } from 'zod';
import { line, list, map, prose, whole, word } from '../../scenario/leaf.ts';
import { DURATION, parseDuration, toMillis } from '../../units.ts';
import { wordsOf } from './command-words.ts';

const COMMAND =
  'a command such as node server.mjs (no shell), or a list of its arguments: [sh, -c, "..."] runs a shell';
const MOST_ARGUMENTS = 100;
const LONGEST_ARGUMENT = 10_000;

/** A command as its arguments; a text is split at blanks outside quotes. */
const command = () =>
  z
    .union([line(LONGEST_ARGUMENT), list(line(LONGEST_ARGUMENT), MOST_ARGUMENTS, 'arguments', 1)], {
      error: COMMAND,
    })
    .transform((given, context): readonly string[] => {
      if (typeof given !== 'string') return given;
      const read = wordsOf(given);
      if ('words' in read) return read.words;
      context.addIssue({ code: 'custom', message: `${COMMAND}: ${read.problem}`, input: given });
      return z.NEVER;
    });

const LOOPBACK = String.raw`(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d{1,5})?`;
const target = () =>
  word(
    new RegExp(String.raw`^(?:http|ws)://${LOOPBACK}(?:/[^\s?#]*)?$`, 'i'),
    'a loopback address such as ws://127.0.0.1:8080',
  );

const READY =
  'a port, a URL such as http://127.0.0.1:8080/health, or a line of its output: { line: listening }';
const ready = z.union(
  [
    whole(1, 65_535),
    word(new RegExp(String.raw`^http://${LOOPBACK}(?:/\S*)?$`, 'i'), READY),
    map({ line: line(200).describe('A text that a line of its output holds') }),
  ],
  { error: READY },
);

const LIMIT = 'a duration of 1s to 1h, such as 30s or 5m';
/** It stays a text, since the sections of a bundle's scenario are written as they were read. */
const limit = z
  .string({ error: LIMIT })
  .meta({ pattern: DURATION.source })
  .refine((text) => limitMs(text) >= 1_000 && limitMs(text) <= 3_600_000, { error: LIMIT });

/** In milliseconds; NaN for what is no duration. */
export const limitMs = (text: string): number => toMillis(parseDuration(text) ?? Number.NaN);

const MOST_VARIABLES = 100;
const NAME = /^[A-Za-z_]\w*$/;

const environment = z
  .record(z.string(), z.unknown(), { error: 'a map of environment variables' })
  .meta({ additionalProperties: { type: ['string', 'number', 'boolean'] } })
  .transform((given, context): Readonly<Record<string, string>> => {
    const kept: Record<string, string> = {};
    const refuse = (path: string[], message: string, input: unknown): void =>
      context.addIssue({ code: 'custom', message, path, input });
    if (Object.keys(given).length > MOST_VARIABLES)
      refuse([], `at most ${MOST_VARIABLES} environment variables`, given);
    for (const [name, value] of Object.entries(given)) {
      const read = z.union([prose(10_000), z.number(), z.boolean()]).safeParse(value);
      if (!NAME.test(name)) refuse([name], 'a name of letters, digits and _', name);
      else if (!read.success) refuse([name], 'a text, or $NAME for a variable of capbench itself', value);
      else kept[name] = String(read.data);
    }
    return kept;
  });

/** `stack:` of a scenario: a server of the user's own that capbench starts. */
export const stackSchema = map({
  start: command().describe(
    'The command that runs the server in the foreground, in the folder of the scenario',
  ),
  ready: ready.describe('When the server is ready: a port that accepts, a URL that answers 2xx, or a line'),
  targets: list(target(), 64, 'loopback addresses', 1)
    .optional()
    .describe('Where the load goes. Default: the address of ready'),
  within: limit.default('60s').describe('Time limit of a start, and of reset'),
  reset: command().optional().describe('A command that runs, and ends, before each start'),
  stop: command().optional().describe('A command that asks the server to end; SIGTERM follows'),
  environment: environment
    .prefault({})
    .describe('Environment variables; $NAME is the value of a variable of capbench itself'),
})
  .refine(({ ready, targets }) => typeof ready !== 'object' || targets !== undefined, {
    path: ['targets'],
    error: 'the addresses that the load goes to, since ready names none: [ws://127.0.0.1:8080]',
  })
  .describe('A server of your own that capbench starts, with --allow-start');

/** The stack of a scenario. */
export type OwnStack = z.output<typeof stackSchema>;

/** Where the load goes. */
export function targetsOf({ ready, targets = [] }: Pick<OwnStack, 'ready' | 'targets'>): readonly string[] {
  if (targets.length > 0 || typeof ready === 'object') return targets;
  return [typeof ready === 'number' ? `ws://127.0.0.1:${ready}` : new URL(ready).origin];
}
