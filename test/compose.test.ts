import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const file = join(root, 'docker-compose.bench.yml');

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      { command?: string[]; image?: string; environment?: Record<string, string>; ports?: string[] }
    >
  >;
}

const compose = parse(read('docker-compose.bench.yml'), { merge: true }) as Compose;
const scenario = parse(read('scenarios/m4pro-20k.yaml')) as {
  load: { players: number; monsters: number };
  world: {
    servers: number;
    playersPerPlace: number;
    batch: { operations: number; interval: string };
    rowShape?: string;
    heap: string;
  };
  postgres: { version: number; settings: Record<string, unknown> };
};

const worlds = Object.entries(compose.services).filter(([name]) => name.startsWith('world-server-'));

test('PostgreSQL runs with the settings of the scenario', () => {
  const postgres = compose.services.postgres;
  expect(postgres?.image).toBe(`postgres:${scenario.postgres.version}`);
  const given = Object.fromEntries(
    (postgres?.command ?? [])
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  const { log_parameter_max_length: own, ...documented } = given;
  expect(own).toBe('0');
  expect(documented).toEqual(
    Object.fromEntries(
      Object.entries(scenario.postgres.settings).map(([name, value]) => [name, String(value)]),
    ),
  );
});

test('the world servers are those of the scenario', () => {
  const { load, world } = scenario;
  expect(worlds).toHaveLength(world.servers);
  worlds.forEach(([, { environment }], index) => {
    expect(environment).toMatchObject({
      INSTANCE_ID: String(index + 1),
      INSTANCES: String(world.servers),
      PLAYERS: String(load.players),
      MONSTERS: String(load.monsters),
      PLAYERS_PER_PLACE: String(world.playersPerPlace),
      BATCH_SIZE_LIMIT: String(world.batch.operations),
      BATCH_TIME_LIMIT_MS: world.batch.interval.replace('ms', ''),
      ROW_SHAPE: world.rowShape ?? 'columns',
      NODE_OPTIONS: `--max-old-space-size=${world.heap.replace('MB', '')}`,
    });
  });
});

test('every published port is on loopback', () => {
  const ports = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
  expect(ports.length).toBeGreaterThan(4);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('nginx lists every world server', () => {
  const nginx = read('fixtures/docker/nginx.conf');
  for (const [name] of worlds) expect(nginx).toContain(`server ${name}:3000`);
});

const composes = [
  { command: 'docker-compose', args: [] },
  { command: 'docker', args: ['compose'] },
];

async function composeTool(): Promise<(typeof composes)[number] | null> {
  for (const tool of composes) {
    const works = await promisify(execFile)(tool.command, [...tool.args, 'version']).then(
      () => true,
      () => false,
    );
    if (works) return tool;
  }
  return null;
}

const tool = await composeTool();

test.skipIf(tool === null)('docker compose accepts the file', async () => {
  const { command, args } = tool!;
  const { stdout } = await promisify(execFile)(command, [...args, '-f', file, 'config', '--services']);
  expect(stdout.trim().split('\n').toSorted()).toEqual(Object.keys(compose.services).toSorted());
});

test('the image starts a program that the build creates', () => {
  const [, started = ''] =
    /^CMD \["node", "(dist\/[^"]+)"\]$/m.exec(read('fixtures/docker/Dockerfile')) ?? [];
  expect([started, existsSync(join(root, started))]).toEqual(['dist/flux-server.js', true]);
});
