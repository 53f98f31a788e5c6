import { EXIT } from '../../src/errors.ts';
import type { Expectation } from './expectation.ts';
import type { Plan } from './finished-run.ts';
import type { KillSeries } from './kill-series.ts';

/** A run of a shipped scenario, and how it has to end. */
export interface Case extends Plan, Expectation {
  readonly name: string;
}

const BREACHED = [EXIT.breached];
const LOST = [EXIT.dataLost];
/** As a whole: the calibration, the start of the stack, the load, the drain. */
const SMALL_SECONDS = 120;
const small = (scenario: string) => ({ scenario, mostSeconds: SMALL_SECONDS });

/** What only judges the machine, and not the world: a busy one says nothing wrong of what is kept and what is caught. */
export const ANY_MACHINE: readonly string[] = [
  'rules.foreignCpuPercent=100',
  'rules.stealMeanPercent=100',
  'rules.stealMaxPercent=100',
  'rules.cpuPressurePercent=100',
  'rules.memoryPressurePercent=100',
  'rules.canaryDriftPercent=100000',
  'rules.clockDriftMs=1000',
  'rules.generatorLoopDelayMs=10000',
  'rules.generatorStalledPercent=100',
  'rules.generatorUtilisationPercent=100',
  'rules.generatorLagMs=10000',
  'calibration.seconds=0',
];

/** The scenarios that a quiet machine passes 9 times of 10. */
export const QUIET: readonly Case[] = ['massless-small', 'mud-small', 'quiz-small', 'realm-10'].map(
  (scenario) => ({
    ...{ name: scenario, ...small(scenario), codes: [EXIT.pass] },
  }),
);

/** `kill` of a component two seconds into the measure phase, and again every four, as a value of --set. */
const killed = (of: string, times = 1, lasting = '1s'): string =>
  `faults=${JSON.stringify([{ action: 'kill', of, at: '2s', lasting, times, every: '4s' }])}`;

const SHORT = ['--duration', '14s'];

/** In place of the scenario's budgets, most of which are of other outages: one of them, for one outage. */
const only = (id: string, metric: string, least: number, unit: string): string =>
  `budgets=${JSON.stringify([{ id, metric, op: '>=', limit: least, unit }])}`;

/** The failures that are promised are survived. */
export const PROMISED: readonly Case[] = [
  { name: 'massless-restart', scenario: 'massless-restart', mostSeconds: 300, codes: [EXIT.pass] },
  { name: 'massless-redis', scenario: 'massless-redis', mostSeconds: 180, codes: [EXIT.pass] },
  { name: 'massless-redis-empty', scenario: 'massless-redis-empty', mostSeconds: 180, codes: [EXIT.pass] },
  { name: 'mud-faults', scenario: 'mud-faults', mostSeconds: 300, codes: [EXIT.pass] },
  { name: 'quiz-faults', scenario: 'quiz-faults', mostSeconds: 300, codes: [EXIT.pass] },
  { name: 'quiz-edge', scenario: 'quiz-edge', mostSeconds: 180, codes: [EXIT.pass] },
  { name: 'realm-faults', scenario: 'realm-faults', mostSeconds: 240, codes: [EXIT.pass] },
  { name: 'realm-edge', scenario: 'realm-edge', mostSeconds: 120, codes: [EXIT.pass] },
  {
    ...{ name: 'quiz-edge behind haproxy', scenario: 'quiz-edge', mostSeconds: 180 },
    set: ['edge.program=haproxy', 'edge.balance=source'],
    codes: [EXIT.pass],
  },
];

/** Each broken variant of a promise, and each negative control, is caught. */
export const CAUGHT: readonly Case[] = [
  {
    ...{ name: 'massless: everybody sees everybody', ...small('massless-small') },
    set: ['world.interest=off'],
    ...{ codes: BREACHED, breaks: /^(?:state|out-of-band|wrong-sights)$/ },
  },
  {
    ...{ name: 'massless: items are copied', ...small('massless-small') },
    set: ['world.trade=torn'],
    codes: LOST,
  },
  {
    ...{
      name: 'massless: trades are answered before their commit; a server killed',
      ...small('massless-small'),
    },
    set: ['world.trade=early', killed('world-1')],
    flags: ['--duration', '12s'],
    codes: LOST,
  },
  {
    ...{ name: 'massless: a server ends without saving', ...small('massless-restart') },
    set: [
      'world.saveOnExit=off',
      `faults=${JSON.stringify([{ action: 'restart', of: 'world-1', at: '6s', lasting: '0s' }])}`,
      only('lost', 'integrity.acked', 1, 'ops'),
    ],
    flags: ['--duration', '14s'],
    codes: LOST,
  },
  {
    ...{ name: 'massless: a Redis that keeps nothing on its disk, killed', ...small('massless-redis') },
    set: [
      'redis.settings.appendonly=no',
      'budgets=[{ id: lost-seconds, metric: massless.redisLostSeconds, op: <, limit: 1, unit: s }]',
    ],
    flags: ['--duration', '14s'],
    ...{ codes: BREACHED, breaks: /^lost-seconds$/ },
  },
  {
    ...{ name: 'mud: no circuit breaker', ...small('mud-faults') },
    set: ['world.breaker=off', killed('redis', 1, '3s'), only('breaker', 'mud.breakerOpened', 3, 'x')],
    flags: SHORT,
    ...{ codes: BREACHED, breaks: /^breaker$/ },
  },
  {
    ...{ name: 'mud: nothing without Redis', ...small('mud-faults') },
    set: [
      'world.degrade=off',
      killed('redis', 1, '3s'),
      only('without-redis', 'outage.redis.okPercent', 75, '%'),
    ],
    flags: SHORT,
    ...{ codes: BREACHED, breaks: /^without-redis$/ },
  },
  {
    name: 'mud: events only to the own instance',
    ...small('mud-small'),
    set: ['world.publish=local'],
    codes: BREACHED,
    breaks: /deliver|propagation|MUD-/,
  },
  {
    name: 'mud: answers before Redis has them; an instance killed',
    ...small('mud-kills'),
    set: ['world.acknowledge=early', killed('world-1')],
    flags: ['--duration', '12s'],
    codes: LOST,
  },
  {
    name: 'quiz: answers before Redis has them; a server killed',
    ...small('quiz-small'),
    set: ['world.acknowledge=early', killed('world-1')],
    flags: ['--duration', '25s'],
    codes: LOST,
  },
  {
    name: 'quiz: results without waiting for the disk; PostgreSQL killed',
    ...small('quiz-small'),
    // Many matches a second, so that some have ended just before each kill.
    set: [
      'postgres.settings.synchronous_commit=off',
      // A match that has ended is lost if the WAL was not written since: with the default of 200 ms that is a matter of luck.
      'postgres.settings.wal_writer_delay=10s',
      'world.think=[10ms, 60ms]',
      'world.gap=0s',
      killed('postgres', 3),
    ],
    flags: ['--duration', '16s'],
    codes: LOST,
  },
  {
    name: 'quiz: results announced before their commit; a server killed while PostgreSQL is away',
    ...small('quiz-small'),
    set: [
      'world.complete=early',
      'world.think=[10ms, 60ms]',
      'world.gap=0s',
      `faults=${JSON.stringify([
        { action: 'stop', of: 'postgres', at: '2s', lasting: '4s' },
        { action: 'kill', of: 'world-1', at: '4s', lasting: '1s' },
      ])}`,
    ],
    flags: ['--duration', '16s'],
    codes: LOST,
  },
  {
    name: 'quiz: a new server that forgets the matches of the killed one',
    ...small('quiz-small'),
    set: ['world.recover=off', killed('world-1')],
    flags: ['--duration', '25s'],
    // Its matches are abandoned, and with them what was acknowledged.
    codes: [...LOST, ...BREACHED],
    breaks: /abandoned/,
  },
  {
    ...{ name: 'quiz: a Redis that evicts matches that are played', ...small('quiz-eviction') },
    ...{ codes: LOST, breaks: /^QZ-046$/ },
  },
  {
    ...{ name: 'quiz: a full Redis that refuses what it cannot keep', ...small('quiz-eviction') },
    set: ['redis.settings.maxmemory-policy=noeviction'],
    // However many answers it refuses, none that was acknowledged is lost.
    codes: [EXIT.pass, EXIT.breached],
  },
  {
    name: 'realm: reported as saved without the relay',
    ...small('realm-10'),
    set: ['world.sync=off'],
    codes: LOST,
  },
  {
    name: 'realm: a new world that forgets the agents of the killed one',
    ...small('realm-10'),
    // Some of them were reported as saved by then.
    set: ['world.recover=off', 'world.syncInterval=1s', killed('world-1')],
    flags: SHORT,
    codes: LOST,
  },
  {
    name: 'realm: what is said in one of a hundred intervals reaches nobody',
    ...small('realm-10'),
    // Somebody speaks in each of them.
    set: ['load.operations.chat.perSecond=100', 'world.broadcast=lossy'],
    flags: ['--duration', '12s'],
    ...{ codes: BREACHED, breaks: /^unheard$/ },
  },
  {
    name: 'realm: agents are told of all others',
    ...small('realm-10'),
    set: ['world.interest=off'],
    ...{ codes: BREACHED, breaks: /^wrong-frames$/ },
  },
];

/** Components that are killed again and again, and what may be lost of what was acknowledged. */
export const SERIES: readonly KillSeries[] = [
  {
    scenario: 'massless-kills',
    promised: { redis: 'nothing', postgres: 'nothing', 'world-1': 'window' },
  },
  { scenario: 'mud-kills', promised: { redis: 'window', postgres: 'nothing', 'world-1': 'nothing' } },
  { scenario: 'quiz-kills', promised: { redis: 'nothing', postgres: 'nothing', 'world-1': 'nothing' } },
  { scenario: 'realm-kills', promised: { relay: 'nothing', 'world-1': 'window' } },
];
