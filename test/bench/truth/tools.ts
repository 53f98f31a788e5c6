import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { execPath } from 'node:process';
import { CAPBENCH } from './capbench.ts';
import { commandTool, numberIn } from './command-tool.ts';
import { K6_HTTP, K6_PLAYER } from './k6-scripts.ts';
import { type Percent, percentilesOf } from './percentiles.ts';
import type { Offer, Tool } from './tool.ts';

/** Of the tools that are told how many: what a second's worth of a 200 ms stall needs, and to spare. */
const CONNECTIONS = 50;
/** Of those that know no rate, and ask again when they were answered. */
const CLOSED_CONNECTIONS = 10;

const moduleBin = (name: string, bin: string): string => {
  try {
    return createRequire(import.meta.url).resolve(`${name}/${bin}`);
  } catch {
    return '';
  }
};

const autocannon = commandTool({
  ...{ name: 'autocannon -R', wire: 'HTTP', obtain: 'npm ci' },
  ...{ program: execPath, script: moduleBin('autocannon', 'autocannon.js') },
  ...{ versionArguments: ['--version'], version: /(autocannon v?\S+)/ },
  arguments: ({ url, rate, seconds }) => [
    ...['-j', '-R', String(rate), '-c', String(CONNECTIONS), '-d', String(seconds)],
    ...['-W', '[', '-c', String(CONNECTIONS), '-d', '1', ']', `${url}/`],
  ],
  read(output, { seconds }) {
    const last = output.trim().split('\n').at(-1) ?? '';
    const { latency, requests } = JSON.parse(last) as {
      latency: Record<string, number>;
      requests: { total: number };
    };
    return {
      // It tells 97.5%, and no 95%.
      percentiles: percentilesOf((percent) => latency[`p${percent}`] ?? null),
      perSecond: requests.total / seconds,
    };
  },
});

/** wrk and its fork that holds a rate: `  99%   29.92ms`; of wrk2 also from when a request was due. */
const wrkLike = (name: string, program: string, obtain: string, rated: boolean): Tool =>
  commandTool({
    ...{ name, wire: 'HTTP', obtain, program },
    ...{ versionArguments: ['--version'], version: /^(wrk \S+)/m },
    arguments: ({ url, rate, seconds }) => [
      ...['-t1', '--latency', `-d${seconds}s`],
      ...(rated ? [`-c${CONNECTIONS}`, `-R${rate}`] : [`-c${CLOSED_CONNECTIONS}`]),
      `${url}/`,
    ],
    read: (output) => ({
      percentiles: percentilesOf((percent) => durationAt(output, percent)),
      perSecond: numberIn(output, /Requests\/sec:\s+([\d.]+)/),
    }),
  });

const UNITS: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };

function durationAt(output: string, percent: Percent): number | null {
  const found = new RegExp(`^\\s+${percent}(?:\\.000)?%\\s+([\\d.]+)(us|ms|s)\\s*$`, 'm').exec(output);
  return found === null ? null : Number(found[1]) * (UNITS[found[2] ?? ''] ?? Number.NaN);
}

const hey = commandTool({
  ...{ name: 'hey -q', wire: 'HTTP', obtain: 'go install github.com/rakyll/hey@latest', program: 'hey' },
  // It has no question for its version.
  ...{ versionArguments: ['-h'], version: /Usage: (hey)/ },
  arguments: ({ url, rate, seconds }) => [
    ...['-z', `${seconds}s`, '-c', String(CONNECTIONS), '-q', String(rate / CONNECTIONS), `${url}/`],
  ],
  read: (output) => ({
    percentiles: percentilesOf(
      (percent) => 1e3 * numberIn(output, new RegExp(`^\\s+${percent}%+ in ([\\d.]+) secs`, 'm')),
    ),
    perSecond: numberIn(output, /Requests\/sec:\s+([\d.]+)/),
  }),
});

const ab = commandTool({
  ...{ name: 'ab', wire: 'HTTP', obtain: 'apt-get install apache2-utils', program: 'ab' },
  ...{ versionArguments: ['-V'], version: /(ApacheBench, Version \S+)/ },
  arguments: ({ url, seconds }) => [
    ...['-q', '-k', '-c', String(CLOSED_CONNECTIONS), '-t', String(seconds), '-n', '10000000', `${url}/`],
  ],
  read: (output) => ({
    percentiles: percentilesOf((percent) => numberIn(output, new RegExp(`^\\s+${percent}%\\s+(\\d+)`, 'm'))),
    perSecond: numberIn(output, /Requests per second:\s+([\d.]+)/),
  }),
});

const oha = (name: string, corrected: readonly string[]): Tool =>
  commandTool({
    ...{ name, wire: 'HTTP', obtain: 'cargo install oha', program: 'oha' },
    ...{ versionArguments: ['--version'], version: /(oha \S+)/ },
    arguments: ({ url, rate, seconds }) => [
      ...['--no-tui', '--output-format', 'json', '-z', `${seconds}s`, '-q', String(rate)],
      ...['-c', String(CONNECTIONS), ...corrected, `${url}/`],
    ],
    read(output) {
      const { latencyPercentiles, summary } = JSON.parse(output) as {
        latencyPercentiles: Record<string, number>;
        summary: { requestsPerSec: number };
      };
      return {
        percentiles: percentilesOf((percent) => (latencyPercentiles[`p${percent}`] ?? Number.NaN) * 1e3),
        perSecond: summary.requestsPerSec,
      };
    },
  });

const k6 = (name: string, wire: Tool['wire'], script: (offer: Offer) => string): Tool =>
  commandTool({
    ...{ name, wire, program: 'k6' },
    obtain:
      'a go.mod with `require go.k6.io/k6/v2 v2.2.0` and `tool go.k6.io/k6/v2`, then `go build go.k6.io/k6/v2`',
    ...{ versionArguments: ['version'], version: /(k6 v?\S+)/ },
    async arguments(offer, { folder }) {
      const file = folder.file(`k6-${wire}-${new URL(offer.url).port}.js`);
      await writeFile(file, script(offer));
      return ['run', '--quiet', '--no-usage-report', '--log-output=none', file];
    },
    read(output, { seconds }) {
      const values = JSON.parse(output) as Record<string, number>;
      return {
        percentiles: percentilesOf((percent) => values[`p(${percent})`] ?? null),
        perSecond: (values.count ?? Number.NaN) / seconds,
      };
    },
  });

/** In the order of the table. */
export const TOOLS: readonly Tool[] = [
  ...CAPBENCH,
  k6('k6, arrival rate', 'HTTP', K6_HTTP),
  k6('k6, a timer a player', 'WebSocket', K6_PLAYER),
  autocannon,
  oha('oha -q', []),
  oha('oha -q --latency-correction', ['--latency-correction']),
  wrkLike('wrk2 -R', 'wrk2', 'from its source: no registry has it', true),
  hey,
  wrkLike('wrk', 'wrk', 'apt-get install wrk', false),
  ab,
];
