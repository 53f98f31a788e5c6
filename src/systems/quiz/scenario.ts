import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { type Finding, findingAt } from '../../scenario/finding.ts';
import { duration, oneOf, quantity, whole } from '../../scenario/leaf.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Load, Scenario, WorldSettings } from '../../scenario/scenario.ts';
import type { SystemScenario } from '../../scenario/system-scenario.ts';
import { counted, formatDuration, grouped, type Micros } from '../../units.ts';
import { ANSWERS_TABLE } from './tables.ts';
import { type Acknowledge, type Complete, KINDS, type Kind, PAIR, type QuizWorkload } from './workload.ts';

/** The system's own keys of `load:`. */
export interface QuizLoad extends Load {
  /** First matches a second, over all pairs of players. */
  readonly createsPerSecond: number;
}

/** The system's own keys of `world:`. */
export interface QuizWorldSettings extends WorldSettings {
  /** Worker processes of one server. */
  readonly workers: number;
  readonly matchesPerWorker: number;
  readonly questions: number;
  readonly think: readonly [least: Micros, most: Micros];
  readonly gap: Micros;
  readonly matchTtl: Micros;
  readonly acknowledge: Acknowledge;
  readonly complete: Complete;
  readonly recover: 'on' | 'off';
}

/** The keys of a scenario of this system, which the schema below has parsed. */
export const quizLoad = ({ load }: Pick<Scenario, 'load'>): QuizLoad => load as QuizLoad;
export const quizWorld = ({ world }: Pick<Scenario, 'world'>): QuizWorldSettings =>
  world as QuizWorldSettings;

const ANSWERS: Readonly<Record<Kind, { readonly plural: string; readonly answer: string }>> = {
  create: { plural: 'creates', answer: 'the code of the match, which is in Redis' },
  join: { plural: 'joins', answer: 'the players of the match, once the second one is in Redis' },
  ready: { plural: 'readies', answer: 'a frame with its number, once it is in Redis' },
  answer: { plural: 'answers', answer: 'right or wrong, once the answer is in Redis' },
};

const OPERATIONS: readonly OperationSpec[] = KINDS.map((id) => ({
  ...{ id, label: ANSWERS[id].plural, unit: 'ops', actor: 'player', due: 'answer' },
  ...ANSWERS[id],
}));

const MOST_WORKERS = 1000;
const thinking = () => duration('0s', '10m');

const world = {
  workers: whole(1, MOST_WORKERS).default(40).describe('Worker processes of one server'),
  matchesPerWorker: whole(1, 100).default(5).describe('Matches that a worker holds at once'),
  questions: whole(1, 50).default(10).describe('Questions of a match'),
  think: z
    .tuple([thinking(), thinking()], { error: 'the shortest and the longest time: [2s, 8s]' })
    .prefault(['2s', '8s'])
    .describe('How long a player thinks about a question: between these'),
  gap: duration('0s', '10m').prefault('1500ms').describe('From a question to the beginning of thinking'),
  matchTtl: duration('10s', '24h').prefault('1h').describe('How long Redis keeps a match without changes'),
  acknowledge: oneOf(['stored', 'early'])
    .default('stored')
    .describe('stored: an answer is acknowledged once it is in Redis; early: before, which loses answers'),
  complete: oneOf(['committed', 'early'])
    .default('committed')
    .describe('committed: the end of a match is announced once its rows are committed; early: before that'),
  recover: oneOf(['on', 'off'])
    .default('on')
    .describe('on: a new process continues the matches of the one it replaces; off: it forgets them'),
};

const serverNames = ({ servers }: Pick<WorldSettings, 'servers'>): readonly string[] =>
  Array.from({ length: servers }, (_, i) => `world-${i + 1}`);

/** The matches that are asked for at once. */
export const matchesAsked = ({ players }: Pick<Load, 'players'>): number => Math.floor(players / PAIR);

/** The keys, checks and sizes of the quiz world's scenarios. */
export const quizScenario: SystemScenario = {
  name: 'quiz',
  operations: OPERATIONS,
  redis: true,
  edge: true,
  load: {
    createsPerSecond: quantity(0.1, 10_000, 'a rate per second')
      .default(60)
      .describe('First matches a second, over all pairs of players; later ones follow at once'),
  },
  world,
  components: ({ world, edge }) =>
    ['postgres', 'redis', ...serverNames(world), ...(edge === undefined ? [] : ['edge'])].map((name) => ({
      name,
      faults: ['kill', 'stop', 'restart'] as const,
    })),
  check: checkQuiz,
  // Half a pair cannot play.
  scale: (load, factor) =>
    factor === 1 ? load : { ...load, players: Math.max(PAIR, PAIR * Math.round(load.players / PAIR)) },
  outline: (scenario) => {
    const settings = quizWorld(scenario);
    const { workers, matchesPerWorker, questions, think, gap } = settings;
    const [least, most] = think.map(formatDuration);
    return {
      load: [
        ['matches', `${grouped(matchesAsked(scenario.load))} at once, of ${questions} questions`],
        ['pace', `${least} to ${most} to think, ${formatDuration(gap)} between questions`],
        ['first matches', `${grouped(quizLoad(scenario).createsPerSecond)}/s`],
      ],
      world: [
        [
          'workers',
          `${grouped(workers)} of each server, ${matchesPerWorker} matches each${startText(workers * scenario.world.servers, availableParallelism())}`,
        ],
        ['acknowledged', settings.acknowledge === 'stored' ? 'once stored' : 'early: before it is stored'],
        ['completed', settings.complete === 'committed' ? 'once committed' : 'early: before it is committed'],
        ['recovery', settings.recover],
      ],
    };
  },
  workload: (scenario) => {
    const { questions, think, gap } = quizWorld(scenario);
    const { players, createsPerSecond } = quizLoad(scenario);
    const own: QuizWorkload = { questions, think, gap, createsPerSecond };
    return { entities: players, own, group: PAIR, ledger: { timed: true, rejected: 'unrecorded' } };
  },
  traits: ({ world }) => ({
    hasServerMetrics: 'yes',
    playerFigures: true,
    counts: [{ series: 'operations', what: 'operations', perOperation: 1, everyAnswer: true }],
    table: ANSWERS_TABLE,
    probes: ['postgres', 'redis', ...serverNames(world)],
  }),
};

/** CPU that a worker process takes until it is ready, in seconds: measured on Node 20. */
const START_SECONDS = 0.25;
/** A shorter start needs no words. */
const NOTABLE_SECONDS = 20;

/** How long the start of so many processes takes on these cores: `; about 100 s of CPU to start, 50 s on 2 cores`. */
export function startText(processes: number, cores: number): string {
  const cpu = processes * START_SECONDS;
  if (cpu / cores < NOTABLE_SECONDS) return '';
  return `; about ${Math.round(cpu)} s of CPU to start, ${Math.round(cpu / cores)} s on ${counted(cores, 'core')}`;
}

function checkQuiz(scenario: Pick<Scenario, 'load' | 'world'>): readonly Finding[] {
  const { players, stages = [] } = scenario.load;
  const { servers, workers, matchesPerWorker, think } = quizWorld(scenario);
  const findings: Finding[] = [];
  const [matches, most] = [matchesAsked({ players }), servers * workers * matchesPerWorker];
  if (players % PAIR !== 0) {
    findings.push(
      findingAt(
        ['load', 'players'],
        `got ${grouped(players)} players, expected an even number: two play a match`,
      ),
    );
  }
  if (matches > most) {
    findings.push(
      findingAt(
        ['load', 'players'],
        `got ${grouped(players)} players, who play ${grouped(matches)} matches at once, expected ${grouped(most)} matches at most: ` +
          `${counted(servers, 'server')} x ${grouped(workers)} workers x ${matchesPerWorker} matches`,
        'use fewer load.players, or more world.servers, world.workers or world.matchesPerWorker',
      ),
    );
  }
  // Pairs are dealt evenly, so that a server may get one more than another.
  else if (Math.ceil(matches / servers) > workers * matchesPerWorker) {
    findings.push(
      findingAt(
        ['load', 'players'],
        `got ${grouped(matches)} matches, which do not fit ${servers} servers evenly`,
      ),
    );
  }
  for (const [i, stage] of stages.entries()) {
    if (stage.players === undefined || stage.players % PAIR === 0) continue;
    findings.push(
      findingAt(['load', 'stages', i, 'players'], `got ${stage.players} players, expected an even number`),
    );
  }
  if (think[0] > think[1]) {
    findings.push(
      findingAt(
        ['world', 'think'],
        `got ${formatDuration(think[0])} to ${formatDuration(think[1])}, expected the shorter time first`,
      ),
    );
  }
  return findings;
}
