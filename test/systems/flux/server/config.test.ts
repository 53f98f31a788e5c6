import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/systems/flux/server/config.ts';
import { startWorld } from './server.ts';

const GOOD = {
  ...{ INSTANCE_ID: '2', INSTANCES: '4', PLAYERS: '20000', MONSTERS: '75000', PLAYERS_PER_PLACE: '2' },
  ...{ DB_SOCKET_PATH: '/var/run/postgresql', DB_USER: 'flux_app', DB_NAME: 'flux_world' },
};

describe('the environment of a world server', () => {
  it('fills in the documented defaults', () => {
    expect(readConfig(GOOD)).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      batchOperations: 1_663,
      batchMillis: 10,
      rowShape: 'columns',
      database: { port: 5_432, password: '' },
    });
  });

  it.each([
    ['INSTANCE_ID', '5'],
    ['INSTANCE_ID', '0'],
    ['PLAYERS', '-1'],
    ['PLAYERS', '1e3'],
    ['PLAYERS', '1.5'],
    ['PLAYERS', ''],
    ['MONSTERS', 'NaN'],
    ['PLAYERS_PER_PLACE', '0'],
    ['BATCH_SIZE_LIMIT', '0'],
    ['BATCH_TIME_LIMIT_MS', '10ms'],
    ['PORT', '65536'],
    ['ROW_SHAPE', 'JSONB'],
  ])('%s=%s is refused with an explanation', (name, value) => {
    const message = expect.stringContaining(`${name} is "${value}", expected `);
    expect(() => readConfig({ ...GOOD, [name]: value })).toThrow(
      expect.objectContaining({ exitCode: 104, message }),
    );
  });

  it('names all missing variables at once', () => {
    expect(() => readConfig({})).toThrow(
      /INSTANCES is not set; INSTANCE_ID is not set; PLAYERS is not set.*DB_NAME is not set/,
    );
  });

  it('ends the process with 104', async () => {
    const world = await startWorld({ ...GOOD, PLAYERS: 'many' });
    expect(await world.exited).toBe(104);
    expect(world.log()).toContain('PLAYERS is "many"');
  });

  it('ends the process with 93 when PostgreSQL is unreachable', async () => {
    const world = await startWorld({ ...GOOD, DB_SOCKET_PATH: '/nonexistent' });
    expect(await world.exited).toBe(93);
    expect(world.log()).toContain('PostgreSQL at /nonexistent');
  });
});
