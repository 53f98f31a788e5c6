import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { ProtocolServer } from '../load/protocol-server.ts';
import { portOf } from '../loopback.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { capbench, smallWith } from './capbench.ts';

type Way = 'answers all' | 'refuses 3%' | 'leaves 3% unanswered';

/** One operation in 33 is refused, or never answered. */
function ends(way: Way): () => 'ok' | 'reject' | 'silence' {
  let asked = 0;
  return () => {
    asked += 1;
    if (way === 'answers all' || asked % 33 !== 0) return 'ok';
    return way === 'refuses 3%' ? 'reject' : 'silence';
  };
}

/** Answers HTTP requests and JSON frames. */
async function plainServer(way: Way): Promise<string> {
  const next = ends(way);
  const server = createServer((_request, response) => {
    const end = next();
    if (end === 'silence') return;
    response.statusCode = end === 'ok' ? 200 : 429;
    response.end('{}');
  });
  new WebSocketServer({ server }).on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id } = JSON.parse(String(data)) as { id: number };
      const end = next();
      if (end !== 'silence') socket.send(JSON.stringify({ id, ...(end === 'ok' ? {} : { error: 'no' }) }));
    });
    socket.on('error', () => undefined);
  });
  return `127.0.0.1:${await portOf(server)}`;
}

async function fluxServer(way: Way): Promise<string> {
  const server = new ProtocolServer({ playersTotal: 60, monstersTotal: 400, intent: ends(way) });
  await server.listen();
  onTestFinished(() => server.close());
  return server.url;
}

const MODULE = `
export const connect = (context) => context;
export const perform = async (_session, operation, context) => {
  const { status } = await fetch('http://' + new URL(context.url).host + '/', { signal: context.signal });
  return status === 200 ? 'ok' : 'rejected';
};
`;

const KINDS = {
  http: { players: 'players: { protocol: http, requests: [{ path: / }] }', flags: [] },
  json: { players: 'players: { protocol: json, errorAt: error, commands: [{ command: look }] }', flags: [] },
  module: { players: 'players: { module: ./player.mjs }', flags: ['--allow-module'] },
  // What the flux world refuses by its own rules, this one does not.
  flux: { players: '', flags: ['--set', 'rules.rejectedPercent=1'] },
} as const;

/** A short run, and what it left. */
async function outcomeOf(kind: keyof typeof KINDS, way: Way) {
  const folder = temporaryFolder();
  const { players, flags } = KINDS[kind];
  const scenario = smallWith(players, folder);
  writeFileSync(join(folder, 'player.mjs'), MODULE);
  const target =
    kind === 'flux'
      ? await fluxServer(way)
      : `${kind === 'http' ? 'http' : 'ws'}://${await plainServer(way)}`;
  const run = capbench([
    ...['run', scenario, '--target', target, ...flags, '--duration', '2s'],
    // What is answered late on a busy machine is waited for; what is never answered, for no longer than that.
    ...[
      'load.monsterCommandsPerSecond=0',
      ...['load.timeout=30s', `load.drain=${way === 'leaves 3% unanswered' ? '8s' : '30s'}`],
    ].flatMap((one) => ['--set', one]),
  ]);
  return { ...(await run.finished), run };
}

// Three at once: they wait more than they compute, and more of them would overload the machine.
test('with 3% of operations refused or unanswered, no run passes, whoever plays', {
  timeout: 120_000,
}, async () => {
  const cases = [
    ...(['http', 'json', 'module', 'flux'] as const).flatMap((kind) =>
      (['refuses 3%', 'leaves 3% unanswered'] as const).map((way) => [kind, way] as const),
    ),
    ['http', 'answers all'] as const,
  ];
  const runs: Awaited<ReturnType<typeof outcomeOf>>[] = [];
  for (let i = 0; i < cases.length; i += 3)
    runs.push(...(await Promise.all(cases.slice(i, i + 3).map(([kind, way]) => outcomeOf(kind, way)))));
  for (const [i, { code, stdout, stderr, run }] of runs.entries()) {
    const [kind, way] = cases[i]!;
    const what = `${kind}: ${way}\n${stdout}${stderr}`;
    expect(code, what).toBe(way === 'answers all' ? 0 : 99);
    if (way === 'answers all') continue;
    const report = run.report();
    const [share, rule, word] =
      way === 'refuses 3%'
        ? ([report.load.rejectedPercent.intent, 'rejected.intent', 'rejected'] as const)
        : ([report.load.unansweredPercent.intent, 'answered.intent', 'unanswered'] as const);
    expect(share, what).toBeGreaterThan(2);
    expect(share, what).toBeLessThan(4);
    const expected = `${Number(share?.toPrecision(3))}% ${word}`;
    expect(stdout, what).toContain(expected);
    expect(run.read('summary.md').replaceAll('\\', ''), what).toContain(expected);
    expect(run.read('junit.xml'), what).toMatch(
      new RegExp(`name="${rule.replace('.', '\\.')}"[^>]*>\\s*<failure`),
    );
    expect(report.invalidBecause).toEqual([]);
  }
});
