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

/** So many entries of words that are alike but for spaces and capitals. */
const alike = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `words.${i}.said=[one thing, One  thing]`);

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
        'F3',
        'database-share',
        '= 280%, stated as 1.7%, which is ~2,500 batched ops/s / 150,000 UPDATE ops/s: a batch is not a row write',
      ],
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
      ['F11', 'sum: processor at most', '= 118%, of 100%'],
      ['F27', 'sum: body of a full batch through nginx', '1,663 ops/batch x 700 B = 1.11 MB, of 1 MB'],
      ['F23', 'limit: memory of the machine', '128 GB, of 64 GB at most'],
      ['F19', 'limit: images of whole pages between two checkpoints', '7.5 GB, of 4 GB at most'],
      ['F12', 'limit: ports from the proxy to its backend', '30,000 CCU, of 28,232 CCU at most'],
      ['F12', 'limit: practical maximum over the proxy', '25,000 to 30,000 CCU'],
      ['F12', 'limit: theoretical maximum over the proxy', '40,000 to 50,000 CCU'],
      [
        'F22',
        'concurrency: commits that reach the disk of macOS',
        '60 at once, of 1; 41.67 a second would fit',
      ],
      [
        'F25',
        'concurrency: connections of MongooseIM',
        '20 at once, of 10 connections; 10,000 a second would fit',
      ],
      ['F10', 'concurrency: monsters', '2,400,000 at once, of 100,000 entities'],
      ['F16', 'concurrency: cores of the proxy for TLS', '8 at once, of 1 cpu'],
      ['F6', 'concurrency: core of a world server', '5.15 at once'],
      ['F25', 'fan-out: events in rooms: network', '= 23.52 Gbps, of 10 Gbps; 4.25 receivers would fit'],
      ['F17', 'alarm-never: database connections', 'rings above 400 connections'],
      ['F24', 'ratio: active cache in the memory', '25% of RAM, stated as 31% of RAM'],
      ['F11', 'ratio: cores in use', '8 cores / 14 cores = 57.14%, stated as 90%'],
      ['F24', 'ratio: memory in use', '73.13%, stated as 55%'],
      ['F8', 'ratio: batching', '1.05 x, stated as 10 to 15 x'],
      ['F29', 'ratio: cost-efficiency advantage', '26.11 to 114.4 x, stated as 25 to 133 x'],
      ['F7', 'same: row writes a second', 'stated as 150,000, and as 25,336'],
      ['F9', 'same: best size of a batch', 'stated as 1,663, and as 857, and as 617'],
      ['F14', 'words: processes of HAProxy 2.8', '"nbproc 1", and "no nbproc"'],
      ['F21', 'words: PostgreSQL as containers of Docker Desktop reach it', 'UNIX socket of the macOS host'],
      ['F28', 'words: garbage collection in the image', '--gc-global'],
      ['F28', 'words: health check in the image', '"curl", and "no curl in node:22-alpine"'],
      ['F28', 'words: port 5223', '"published", and "bound by no listener"'],
      ['F28', 'words: protocol after TLS on the port of XMPP', '"h2,http/1.1", and "xmpp-client"'],
      ['F30', 'words: a failed operation in a batch', '"does not affect the others"'],
      ['F29', 'break-even: one host', '174.8 to 766 CCU, stated as 200 to 500 CCU'],
      ['F29', 'saving: one host', '= 96.17 to 99.13%, stated as 99%'],
      ['F26', 'cost-of-traffic: bandwidth', '8 Gbps x 30 days = 2,592 TB'],
    ],
    consistent: [
      ...[
        'load.operationsPerSecond=150000',
        'database.used=100%',
        'batches.perSecond=400',
        'batches.latency=12ms',
      ],
      ...['latency.0.limit=21ms', 'database.workMem=64MB', 'database.maxWalSize=24GB', 'database.disk=2TB'],
      ...['pools.0.users.0.connections=90', 'proxy.addresses=2000', 'proxy.cpus=4'],
      ...['limits.0.needed=64GB', 'limits.1.limit=8GB', 'limits.2.limit=30000'],
      ...['limits.3.needed=25000', 'limits.4.needed=25000'],
      ...['sums.0.rest=33.9GB', 'sums.2.rest=2', 'sums.3.rest=4', 'sums.4.total=118%', 'sums.5.total=2MB'],
      ...['concurrency.0.most=60', 'concurrency.1.most=20', 'concurrency.2.lasting=250ms'],
      ...[
        'concurrency.3.lasting=0.5ms',
        'concurrency.4.lasting=9us',
        'fanOut.0.receivers=4',
        'alarms.0.most=400',
      ],
      ...[
        'ratios.0.is=25%',
        'ratios.1.is=57%',
        'ratios.2.is=73%',
        'ratios.3.is=1.05',
        'ratios.5.is=[26, 114]',
      ],
      ...['same.0.figures=[150000, 150000]', 'same.1.figures=[617, 617]'],
      ...alike(7),
      ...['breakEven.0.players=[175, 766]', 'savings.0.saves=96%', 'traffic.0.perTerabyte=0.15'],
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
      ['Q12', 'limit: matches of all servers', '2,000 matches, of 1,000 matches at most'],
      ['Q5', 'heap: workers', '3,200 GB, of 16 GB: 40.96 MB each'],
      ['Q6', 'process-cores: workers', '400 workers / 64 vCPU = 6.25 a core, of 1'],
      ['Q7', 'concurrency: matches', '3,450 at once, of 2,000 matches; 28.99 a second would fit'],
      ['Q2', 'alarm-always: active matches', 'rings above 1,800 matches, where the plan has 2,000 matches'],
      ['Q6', 'ratio: cores of 5000 matches', '64 cores / 32 cores = 2 x, stated as 2.5 x'],
      ['Q12', 'same: p95 of creating a match', 'stated as 300 ms, and as 1,200 ms'],
      ['Q12', 'same: error rate', 'stated as 1%, and as 3%'],
      ['Q13', 'same: cores of 1000 matches', 'stated as 32 vCPU, and as 0.3 cores'],
    ],
    consistent: [
      ...['same.0.figures=[300ms, 300ms]', 'same.1.figures=[1%, 1%]', 'same.2.figures=[1 core, 1 vCPU]'],
      ...['limits.0.limit=2000', 'processes.0.perCore=7', 'ratios.0.is=2'],
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
      ['Q1', 'capacity: workers of one server of which one fails', '1,995 matches, of 2,000 matches needed'],
      ['Q11', 'limit: matches at once in the stress suite', '2,000 matches, of 50 matches at most'],
      ['Q11', 'limit: users that the stress suite needs', '4,000 users, of 2,000 users at most'],
      ['Q11', 'limit: the ladder before production', '2,000 matches, of 500 matches at most'],
      ['Q5', 'heap: workers of one server', '3,200 GB, of 16 GB: 40.96 MB each'],
      ['Q2', 'alarm-always: active matches', 'rings above 1,800 matches, where the plan has 2,000 matches'],
      ['Q8', 'alarm-always: errors', '1% of 580 errors/s = 5.8 errors/s'],
      ['Q15', 'ratio: what the database may expect to be cached', '24 GB / 64 GB = 37.5%, stated as 75%'],
      ['Q10', 'words: addresses that the loop asks', '"10.0.1.11 - 10.0.1.110", and "10.0.1.10 - 10.0.1.19"'],
      ['Q15', 'words: container of the match server', '"quizup-matchserver", and "quizup_matchserver"'],
      ['Q15', 'words: .env.production.full', '"not in the repository"'],
    ],
    consistent: [
      ...['pools.0.users.0.connections=49', 'pools.1.users.0.connections=999', 'capacity.0.each=223'],
      ...['capacity.1.units=401', 'processes.0.heap=40MB', 'ratios.0.is=37.5%'],
      ...['limits.0.limit=2000', 'limits.1.limit=4000', 'limits.2.limit=2000', ...alike(3)],
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
      ['S6', 'sum: thinking of 50 agents', '= 250 to 500 percentage points, of 100 percentage points'],
      ['S4', 'sum: memory of 1 GB at the alarm of 75 connections', '0.537 to 1.06 GB, of 1 GB'],
      ['S7', 'limit: cores of more than 50 agents', '4 cores, of 1 core at most'],
      ['S9', 'limit: load of 50 users on t3.medium', '70%, of 40% at most'],
      ['S4', 'heap: smallest tier', '0.75 GB, of 0.5 GB'],
      ['S4', 'tier: 50 agents in the unit of systemd: cores', '2 to 4 cores needed, of 1 core'],
      ['S4', 'tier: 50 agents in the unit of systemd: memory', '2 GB needed, of 1 GB'],
      ['S9', 'tier: 30 users on 2GB/1CPU: cores', '2 cores needed, of 1 core'],
      ['S9', 'tier: 50 users on 4GB/2CPU: cores', '4 cores needed, of 2 cores'],
      ['S2', 'fan-out: moves: network', '= 72 Mbps, of 10 Mbps'],
      ['S2', 'fan-out: moves: each', '= 180 kB/s, of 5 kB/s'],
      ['S4', 'alarm-always: memory of 1 GB with 50 agents', 'rings above 85% of 1 GB = 0.85 GB'],
      ['S6', 'alarm-always: processor', 'rings above 80%, where the plan has 60 to 90%'],
      ['S1', 'per-player: download of 10 users', '10 to 50 KB/s, stated as 50 to 100 KB/s'],
      ['S1', 'per-player: download of 50 users', '50 to 250 KB/s, stated as 250 to 500 KB/s'],
      ['S10', 'per-player: disk of the backups', '30 backups x ~50 MB each = 1,500 MB, stated as 500 MB'],
      ['S5', 'same: memory of a connection', 'stated as 2 to 5 MB, and as 2 to 5 kB'],
      ['S9', 'same: price of t3.small', 'stated as ~20 USD/month, and as 15 USD/month'],
      ['S9', 'same: price of t3.medium', 'stated as ~40 USD/month, and as 30 USD/month'],
      ['S10', 'same: backups that are kept', 'stated as 10 backups, and as 30 backups'],
      ['S11', 'words: port 18800', '"from this host only", and "from the balancer at 10.0.1.x"'],
      ['S12', 'words: variable of the most agents', '"WORLD_MAX_AGENTS", and "MAX_AGENTS"'],
      ['S10', 'words: what the backup has', '"the full application"'],
    ],
    consistent: [
      ...['perPlayer.2.total=[10kB/s, 50kB/s]', 'perPlayer.3.total=[50kB/s, 250kB/s]'],
      ...['sums.0.total=[150MB, 210MB]', 'sums.4.total=960MB', 'sums.5.total=110'],
      ...['sums.6.total=500', 'sums.7.total=2GB', 'processes.0.memory=1GB', 'perPlayer.4.total=1.5GB'],
      ...['fanOut.0.perSecond=1', 'limits.1.limit=70%', 'tiers.0.cores=4', 'tiers.0.memory=2GB'],
      ...[
        'same.0.figures=[2MB, [1MB, 2MB]]',
        'same.1.figures=[15, 15]',
        'same.2.figures=[30, 30]',
        ...alike(3),
      ],
      ...['alarms.0.of=2GB', 'alarms.1.usual=[60%, 80%]', 'latency.0.window=50ms', 'limits.0.limit=4'],
      ...['same.3.figures=[SHR-040, 10]', 'tiers.2.cores=2', 'tiers.3.cores=4'],
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
      ['M8', 'fan-out: messages: deliveries', '= 120,000 deliveries/min, of 32,000 deliveries/min'],
      ['M9', 'same: memory of 500 connections', 'stated as 2 to 4 GB, and as 341 MB'],
      ['M4', 'same: Redis servers', 'stated as 2 instances, and as 1 instance'],
      ['M3', 'words: a database that several hosts share', '"PostgreSQL or SQLite", and "PostgreSQL"'],
      ['M5', 'words: rooms, sessions and events without Redis', '"nowhere else than in Redis"'],
      ['M6', 'words: commands without the database', '"read-only from cache"'],
      ['M7', 'words: time between two saves', '"N seconds"'],
      ['M10', 'words: choice of the server', '"the same server for each client"'],
    ],
    consistent: [
      ...[
        'capacity.0.units=3',
        'capacity.1.units=3',
        'same.0.figures=[1GB, 1GB]',
        'same.1.figures=[MUD-034, 1]',
      ],
      ...['fanOut.0.receivers=2', ...alike(5)],
      ...['pools.0.users.0.connections=10', 'pools.0.users.0.overflow=20'],
    ],
  },
  massless: {
    text: text('massless-500'),
    found: [
      ['L8', 'limit: bandwidth of a player', '22 kB/s, of 10 kbps at most'],
      ['L7', 'limit: players of a zone beside its other characters', '201 to 400, of 200 at most'],
      ['L8', 'per-player: bandwidth of positions', '0.36 kB/s, stated as 3.6 kB/s'],
      ['L5', 'same: time between two snapshots of Redis', 'stated as 15 min, and as 1 h'],
      ['L1', 'same: downtime of an update', 'stated as 0 s, and as 30 s'],
      ['L7', 'same: players of a process', 'stated as 500, and as 50 to 200'],
      ['L1', 'words: an update of production', '"rolling update", and "announced maintenance window"'],
      ['L1', 'words: shutdown of a world that never ends', '"let games finish", and "stop within 30 s"'],
      ['L3', 'words: migrations of the database', '"after the new code runs"'],
      ['L4', 'words: an update of staging', '"PostgreSQL and Redis stop too"'],
      ['L5', 'words: container of PostgreSQL', '"massless-postgres", and "postgres"'],
      ['L5', 'words: archive of the log', '"no archive_mode"'],
      ['L6', 'words: where play leads', '"game-server:2567", and "game-client:80"'],
      ['L6', 'words: what localhost:3000 is', '"the client", and "the API"'],
      ['L6', 'words: what signs tokens', '"a shared secret", and "an RS256 key pair"'],
    ],
    consistent: [
      ...['limits.0.limit=22kB/s', 'limits.1.limit=400', 'same.0.figures=[1h, 1h]', ...alike(9)],
      'perPlayer.0.total=0.36kB/s',
      'same.1.figures=[30s, 30s]',
      'same.2.figures=[200, [50, 200]]',
    ],
  },
};
