import { z } from 'zod';
import { line, list, map, quantity, word } from './leaf.ts';

/** A figure as the file has it. */
export type Written = z.output<typeof written>;

/** A figure of a plan before its claims are looked up (plan.ts). */
export interface Given {
  readonly written: Written;
  /** Its base unit, or a word of EXPECTED (plan-units.ts). */
  readonly expects: string;
  /** Others are divided by it, so that it cannot be 0. */
  readonly divides: boolean;
}

const MOST = 100;
const what =
  'a number, a quantity such as 512MB or 10ms, [low, high], the id of a claim such as FLX-110, or a list of such ids';
const one = z.union(
  [
    z.number({ error: what }).min(0, { error: what }).max(1e15, { error: what }),
    z
      .string({ error: what })
      .max(60, { error: what })
      .regex(/^(?:[A-Z]{2,5}-\d{1,4}|~? ?\d{1,15}(?:\.\d{1,9})?(?: ?[A-Za-z%][\w%/ -]*)?)$/, { error: what }),
  ],
  { error: what },
);
const written = z.union(
  [one, z.array(one, { error: what }).min(1, { error: what }).max(10, { error: what })],
  {
    error: what,
  },
);

const figure = (expects: string, divides = false) =>
  z.codec(
    written,
    z.custom<Given>((value) => typeof value === 'object'),
    { decode: (text) => ({ written: text, expects, divides }), encode: (given) => given.written },
  );
/** What a document says in words, or the id of a claim that is text. */
const said = z.codec(
  line(160),
  z.custom<Given>((value) => typeof value === 'object'),
  {
    decode: (text) => ({ written: text, expects: 'words', divides: false }),
    encode: ({ written }) => String(written),
  },
);
const optional = (expects: string, about: string) => figure(expects).optional().describe(about);
const required = (expects: string, about: string) => figure(expects).describe(about);
const divisor = (expects: string, about: string) => figure(expects, true).describe(about);
const name = line(80).describe('What it is about, as the findings name it');
const entries = <T extends z.ZodType>(element: T) => list(element, MOST, 'entries', 1).optional();

const counted = map({
  count: required('count', 'How many there are'),
  each: required('any', 'Of one of them'),
});

/** `plan:`: the figures of a document, which `capbench check` holds against each other. */
export const planSchema = map({
  load: map({
    players: optional('players', 'Players connected at once'),
    operationsPerSecond: optional('ops/s', 'Operations a second, of all players and other actors'),
  }).optional(),
  database: map({
    rowWritesPerSecond: divisor('row writes/s', 'Rows that it can update a second').optional(),
    insertsPerSecond: divisor('row writes/s', 'Rows that it can insert a second').optional(),
    operationsPerRowWrite: divisor('count', 'Operations that share a row write. Default: 1').optional(),
    used: optional('share', 'As it is stated: the share of these rows that the load takes'),
    connections: optional('connections', 'Connections that it accepts'),
    workMem: optional('bytes', 'Memory that a sort of each connection may take'),
    memory: optional('bytes', 'Memory that it may take'),
    walBytesPerWrite: divisor('bytes', 'Write-ahead log of a row write').optional(),
    maxWalSize: optional('bytes', 'Write-ahead log between two checkpoints'),
    checkpointEvery: optional('s', 'Time between two checkpoints'),
    logBytesPerWrite: divisor('bytes', 'Log of a row write, where statements are logged').optional(),
    logKept: optional('s', 'How long the log is kept. Default: 1 day'),
    disk: optional('bytes', 'Disk of the host'),
  }).optional(),
  batches: map({
    servers: divisor('count', 'Servers that write batches').optional(),
    interval: divisor('s', 'A batch is written after this time').optional(),
    operations: divisor('ops', 'Or at so many operations').optional(),
    perSecond: optional('batches/s', 'Batches a second, of all servers'),
    latency: optional('s', 'Time that a batch may take'),
  }).optional(),
  proxy: map({
    connections: optional('connections', 'Connections that it accepts'),
    perAddress: divisor('connections', 'Of one address').optional(),
    newPerAddress: map({
      count: divisor('connections', 'New connections of one address'),
      every: divisor('s', 'In this time'),
    }).optional(),
    connectsPerSecond: optional('connections/s', 'New connections a second, of all players'),
    addresses: optional('count', 'Addresses from which players come'),
    threads: optional('threads', 'Its threads'),
    cpus: optional('cores', 'Cores that it may use'),
    servers: optional('count', 'Servers among which it chooses by the address of the player'),
    perServer: optional('any', 'What one of them holds'),
    needed: optional('any', 'What all have to hold'),
  }).optional(),
  pools: entries(
    map({
      name,
      limit: required('connections', 'Connections that the server accepts'),
      reserved: optional('connections', 'Of these, kept for others. Default: 0'),
      users: list(
        map({
          name,
          processes: required('count', 'Processes with a pool each'),
          connections: required('connections', 'Connections of a pool'),
          overflow: optional('connections', 'Beyond these, at most. Default: 0'),
        }),
        MOST,
        'pools',
        1,
      ),
    }),
  ),
  latency: entries(
    map({
      name,
      limit: required('s', 'Within which it is answered'),
      window: required('s', 'Time from one flush or update to the next, for which an operation waits'),
      service: optional('s', 'Time after that. Default: 0'),
      percentile: quantity(1, 100, 'a percentile')
        .default(100)
        .describe(
          'Of the limit: waits are spread evenly over the window; 100 for a limit without percentile',
        ),
    }),
  ),
  sums: entries(
    map({
      name,
      total: required('any', 'What the parts may add up to'),
      parts: z
        .record(line(60), z.union([counted, figure('any')], { error: `${what}, or { count, each }` }), {
          error: 'a map with a figure for each part',
        })
        .refine((parts) => Object.keys(parts).length > 0, { error: 'a figure for one part at least' })
        .describe('The parts, by name'),
      rest: optional('any', 'What is said to be left of the total'),
      exactly: z
        .boolean({ error: 'true or false' })
        .default(false)
        .describe('The total is a statement about the sum, and not a limit'),
    }).refine(({ rest, exactly }) => rest === undefined || !exactly, {
      path: ['exactly'],
      error: 'false beside rest: the parts and the rest are the total',
    }),
  ),
  capacity: entries(
    map({
      name,
      units: required('count', 'Servers, processes, or whatever else holds a part'),
      each: required('any', 'What one of them holds'),
      needed: required('any', 'What all have to hold'),
      spare: optional('count', 'So many of them may be lost. Default: 0'),
    }),
  ),
  limits: entries(
    map({
      name,
      needed: required('any', 'What is promised or needed'),
      limit: required('any', 'What there is at most'),
    }),
  ),
  alarms: entries(
    map({
      name,
      above: optional('part', 'It rings above this'),
      below: optional('part', 'Or below this'),
      of: optional('whole', 'What percentages are of'),
      usual: optional('part', 'The value at the planned load'),
      most: optional('part', 'The highest value that is possible (with below: the lowest)'),
    }).refine(({ above, below }) => (above === undefined) !== (below === undefined), {
      path: ['above'],
      error: 'either above or below',
    }),
  ),
  concurrency: entries(
    map({
      name,
      perSecond: required('rate', 'How many begin a second'),
      lasting: divisor('s', 'How long one lasts'),
      most: required('count', 'How many there are at once, at most'),
    }),
  ),
  fanOut: entries(
    map({
      name,
      perSecond: required('rate', 'Messages a second, of all senders'),
      receivers: required('count', 'Who are sent each of them'),
      bytes: optional('bytes', 'Of one message'),
      players: divisor('players', 'Among whom the receivers are').optional(),
      deliveries: optional('rate', 'Messages a second that can be delivered'),
      network: optional('bytes/s', 'What there is for all of it'),
      each: optional('bytes/s', 'What is said to reach one player'),
    }),
  ),
  perPlayer: entries(
    map({
      name,
      players: required('count', 'Players, or other things that are counted'),
      each: required('any', 'Of one of them'),
      total: required('any', 'What is stated of all together'),
    }),
  ),
  ratios: entries(
    map({
      name,
      of: required('any', 'This figure'),
      to: divisor('any', 'Divided by this one'),
      is: required('share', 'As it is stated'),
    }),
  ),
  same: entries(
    map({
      name,
      figures: list(figure('any'), MOST, 'figures', 2).describe(
        'The same quantity, as stated here and there',
      ),
    }),
  ),
  words: entries(
    map({
      name,
      said: list(said, MOST, 'texts', 2).describe('As it is said here and there, in the same words'),
    }),
  ),
  cost: entries(
    map({
      name,
      price: required('USD/month', 'Of the whole'),
      players: divisor('players', 'Players connected at once'),
      perPlayer: required('USD/month', 'As it is stated'),
    }),
  ),
  breakEven: entries(
    map({
      name,
      price: required('USD/month', 'Of the whole'),
      perPlayer: divisor('USD/month', 'Of a player elsewhere'),
      players: required('players', 'As it is stated: from so many on the whole is cheaper'),
    }),
  ),
  savings: entries(
    map({
      name,
      price: required('USD/month', 'Of the whole'),
      instead: divisor('USD/month', 'Of what it replaces'),
      saves: required('share', 'As it is stated'),
    }),
  ),
  traffic: entries(
    map({
      name,
      perSecond: required('bytes/s', 'Sent, at the planned load'),
      price: required('USD/month', 'As it is stated'),
      perTerabyte: required('USD', 'What a terabyte costs'),
    }),
  ),
  processes: entries(
    map({
      name,
      count: divisor('count', 'Processes'),
      heap: optional('bytes', 'Heap that one of them may take'),
      memory: optional('bytes', 'Memory that there is for all of them'),
      cores: divisor('cores', 'Cores that they share').optional(),
      perCore: divisor('count', 'So many may share a core. Default: 1').optional(),
    }),
  ),
  tiers: entries(
    map({
      name,
      cores: optional('cores', 'Of the machine'),
      memory: optional('bytes', 'Of the machine'),
      disk: optional('bytes', 'Of the machine'),
      needs: map({
        cores: optional('cores', 'What the load needs'),
        memory: optional('bytes', 'What the load needs'),
        disk: optional('bytes', 'What the load needs'),
      }),
    }),
  ),
  disputes: z
    .record(
      line(200),
      list(word(/^[A-Z]{2,5}-\d{1,4}$/, 'the id of a claim such as FLX-110'), MOST, 'claims', 1),
      { error: 'a map with a list of claims for each finding' },
    )
    .optional()
    .describe('By the name of a finding: claims that fall with it, besides those that it is about'),
});
