import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '../../src/audit/audit.ts';
import { ownFigures } from '../../src/scenario/own-figures.ts';
import { read } from '../scenario/scenario-text.ts';

/** A scenario with nothing but a plan, which is written as YAML in braces. */
export const withPlan = (plan: string): string =>
  `name: mine\nsystem: own\nload: { players: 10 }\nplayers: { protocol: json, commands: [{ command: move }] }\nplan: ${plan}\n`;

export const auditOf = (text: string, set: readonly string[] = []) => {
  const scenario = read(text, { set });
  if (scenario.plan === undefined) throw new Error('the scenario has no plan');
  return audit(scenario.plan, ownFigures(scenario));
};

const text = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../scenarios', `${name}.yaml`), 'utf8');

/** What a check must find in a document: its name, and a part of the arithmetic. */
type Expected = readonly (readonly [item: string, name: string, part: string])[];

interface DocumentPlan {
  readonly text: string;
  readonly found: Expected;
  /** Figures with which the same plan is consistent. */
  readonly consistent: readonly string[];
}

export const DOCUMENTS: Readonly<Record<string, DocumentPlan>> = {
  flux: {
    text: text('m4pro-20k'),
    found: [
      ['F1', 'update-rate', '420,000 row writes/s, of 150,000 UPDATE ops/s: 280%'],
      ['F1', 'insert-rate', '400,000 INSERT ops/s: 105%'],
      [
        'F2',
        'batch-rate',
        '4 containers / 10 ms = 400 batches/s, by size 420,000 ops/s / 1,663 ops/batch = 252.6 batches/s',
      ],
      ['F4', 'batch-time', '= 11.09 ms'],
      ['F5', 'response-time: intents', '20.6 ms'],
      ['F18', 'work-mem', '400 connections x 512 MB = 200 GB, of 40 GB'],
      ['F19', 'checkpoints', '= 1.91 min, of 10 min'],
      ['F20', 'statement-log', 'full after 20.36 h'],
      ['F17', 'pools: PostgreSQL', 'world servers 4 x 100, MongooseIM 1 x 10 = 410 connections'],
      ['F13', 'per-address', '= 2,000 addresses, of 1 address'],
      ['F13', 'new-per-address', '= 200 addresses, of 1 address'],
      ['F15', 'proxy-threads', '4 threads on 1 cpu'],
      ['F24', 'sum: memory', 'leaves 33.9 GB of 128 GB; stated as 34.4 GB'],
      ['F11', 'sum: efficiency cores', 'leaves 2 E-cores of 4 E-cores; stated as 4 E-cores'],
      ['F11', 'sum: spare cores', 'leaves 4 cores of 14 cores; stated as 8 cores'],
      ['F12', 'limit: practical maximum over the proxy', '25,000 to 30,000 CCU'],
      ['F12', 'limit: theoretical maximum over the proxy', '40,000 to 50,000 CCU'],
      ['F10', 'concurrency: monsters', '2,400,000 at once, of 100,000 entities'],
      ['F16', 'concurrency: cores of the proxy for TLS', '8 at once, of 1 cpu'],
      ['F6', 'concurrency: core of a world server', '5.15 at once'],
      ['F17', 'alarm-never: database connections', 'rings above 400 connections'],
      ['F24', 'ratio: active cache in the memory', '25% of RAM, stated as 31% of RAM'],
      ['F8', 'ratio: batching', '1.05 x, stated as 10 to 15 x'],
      ['F29', 'ratio: cost-efficiency advantage', '26.11 to 114.4 x, stated as 25 to 133 x'],
      ['F7', 'same: row writes a second', 'stated as 150,000, and as 25,336'],
      ['F9', 'same: best size of a batch', 'stated as 1,663, and as 857, and as 617'],
      ['F26', 'cost-of-traffic: bandwidth', '8 Gbps x 30 days = 2,592 TB'],
    ],
    consistent: [
      ...['load.operationsPerSecond=150000', 'batches.perSecond=400', 'batches.latency=12ms'],
      ...['latency.0.limit=21ms', 'database.workMem=64MB', 'database.maxWalSize=24GB', 'database.disk=2TB'],
      ...['pools.0.users.0.connections=90', 'proxy.addresses=2000', 'proxy.cpus=4'],
      ...[
        'limits.0.needed=25000',
        'limits.1.needed=25000',
        'sums.0.rest=33.9GB',
        'sums.2.rest=2',
        'sums.3.rest=4',
      ],
      ...[
        'concurrency.0.lasting=250ms',
        'concurrency.1.lasting=0.5ms',
        'concurrency.2.lasting=9us',
        'alarms.0.most=400',
      ],
      ...[
        'ratios.0.is=25%',
        'ratios.1.is=1.05',
        'ratios.3.is=[26, 114]',
        'same.0.figures=[150000, 150000]',
        'same.1.figures=[617, 617]',
        'traffic.0.perTerabyte=0.15',
      ],
    ],
  },
  'quiz, option A': {
    text: text('quiz-2000'),
    found: [
      [
        'Q3',
        'pools: PostgreSQL',
        'workers 400 x 200 = 80,000 connections, of 500 connections less 10 reserved = 490',
      ],
      ['Q4', 'pools: Redis', 'workers 400 x 1,000 = 400,000 connections, of 10,000 clients'],
      ['Q5', 'heap: workers', '3,200 GB, of 16 GB: 40.96 MB each'],
      ['Q7', 'concurrency: matches', '3,450 at once, of 2,000 matches; 28.99 a second would fit'],
      ['Q2', 'alarm-always: active matches', 'rings above 1,800 matches, where the plan has 2,000 matches'],
      ['Q12', 'same: p95 of creating a match', 'stated as 300 ms, and as 1,200 ms'],
      ['Q12', 'same: error rate', 'stated as 1%, and as 3%'],
    ],
    consistent: [
      ...['same.0.figures=[300ms, 300ms]', 'same.1.figures=[1%, 1%]'],
      ...['pools.0.users.0.connections=1', 'pools.1.users.0.connections=25', 'processes.0.heap=40MB'],
      ...['concurrency.0.perSecond=28', 'alarms.0.above=2000'],
    ],
  },
  'quiz, option B': {
    text: text('quiz-server'),
    found: [
      [
        'Q3',
        'pools: PostgreSQL',
        'servers 10 x 200 = 2,000 connections, of 500 connections less 10 reserved = 490',
      ],
      ['Q4', 'pools: Redis', '10,001 connections, of 10,000 clients'],
      ['Q9', 'by-address', '1 x 200 matches = 200 matches, of 2,000 matches'],
      ['Q1', 'capacity: ten servers of which one fails', '1,800 matches, of 2,000 matches needed'],
      ['Q2', 'alarm-always: active matches', 'rings above 1,800 matches, where the plan has 2,000 matches'],
      ['Q8', 'alarm-always: errors', '1% of 580 errors/s = 5.8 errors/s'],
    ],
    consistent: [
      ...['pools.0.users.0.connections=49', 'pools.1.users.0.connections=999', 'capacity.0.each=223'],
      ...['alarms.0.above=2000', 'alarms.1.above=6 errors/s', 'proxy.addresses=10'],
    ],
  },
  realm: {
    text: text('realm-50'),
    found: [
      ['S8', 'response-time: WebSocket', 'p95 wait for the end of ~100 ms is 95 ms'],
      ['S3', 'sum: memory without agents', '150 to 210 MB, stated as 200 to 400 MB'],
      ['S4', 'sum: 50 agents in the heap', '500 to 960 MB, of 768 MB'],
      ['S6', 'sum: processor time of 50 users, of one core', '110%'],
      ['S7', 'limit: cores of more than 50 agents', '4 cores, of 1 core at most'],
      ['S4', 'heap: smallest tier', '0.75 GB, of 0.5 GB'],
      ['S9', 'tier: 30 users on 2GB/1CPU: cores', '2 cores needed, of 1 core'],
      ['S9', 'tier: 50 users on 4GB/2CPU: cores', '4 cores needed, of 2 cores'],
      ['S4', 'alarm-always: memory of 1 GB with 50 agents', 'rings above 85% of 1 GB = 0.85 GB'],
      ['S6', 'alarm-always: processor', 'rings above 80%, where the plan has 60 to 90%'],
      ['S1', 'per-player: download of 10 users', '10 to 50 KB/s, stated as 50 to 100 KB/s'],
      ['S1', 'per-player: download of 50 users', '50 to 250 KB/s, stated as 250 to 500 KB/s'],
      ['S10', 'same: backups that are kept', 'stated as 10 backups, and as 30 backups'],
    ],
    consistent: [
      ...['perPlayer.2.total=[10kB/s, 50kB/s]', 'perPlayer.3.total=[50kB/s, 250kB/s]'],
      ...['sums.0.total=[150MB, 210MB]', 'sums.4.total=960MB', 'sums.5.total=110', 'processes.0.memory=1GB'],
      ...['alarms.0.of=2GB', 'alarms.1.usual=[60%, 80%]', 'latency.0.window=50ms', 'limits.0.limit=4'],
      ...['same.0.figures=[SHR-040, 10]', 'tiers.1.cores=2', 'tiers.2.cores=4'],
    ],
  },
  mud: {
    text: text('mud-1000'),
    found: [
      [
        'M2',
        'pools: PostgreSQL',
        'instances 3 x (20 + 40) = 180 connections, of 100 connections less 3 reserved = 97',
      ],
      [
        'M1',
        'capacity: two instances',
        '(2 instances - 1) x ~500 connections = 500 connections, of 1,000 connections',
      ],
      ['M1', 'capacity: two to three instances', '= 500 connections, of 1,000 connections'],
      ['M8', 'limit: messages', '2,000 deliveries/s, of 533 deliveries/s at most'],
      ['M4', 'same: Redis servers', 'stated as 2 instances, and as 1 instance'],
    ],
    consistent: [
      ...['capacity.0.units=3', 'capacity.1.units=3', 'same.0.figures=[MUD-034, 1]', 'limits.0.limit=2000'],
      ...['pools.0.users.0.connections=10', 'pools.0.users.0.overflow=20'],
    ],
  },
  massless: {
    text: text('massless-500'),
    found: [
      ['L8', 'limit: bandwidth of a player', '22 kB/s, of 10 kbps at most'],
      ['L8', 'per-player: bandwidth of positions', '0.36 kB/s, stated as 3.6 kB/s'],
      ['L1', 'same: downtime of an update', 'stated as 0 s, and as 30 s'],
      ['L7', 'same: players of a process', 'stated as 500, and as 50 to 200'],
    ],
    consistent: [
      'limits.0.limit=22kB/s',
      'perPlayer.0.total=0.36kB/s',
      'same.0.figures=[30s, 30s]',
      'same.1.figures=[200, [50, 200]]',
    ],
  },
};
