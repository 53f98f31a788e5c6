import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { CLOSE, moved, type Place } from '../../../../src/systems/massless/wire.ts';
import { bundled } from '../../../bundled.ts';
import { enter, reserve } from './player.ts';

/** The server against which the load is calibrated, as a process. */
async function start(own: Readonly<Record<string, string>> = {}): Promise<string> {
  const programs = await bundled({ 'massless-null': 'src/systems/massless/null/main.ts' });
  onTestFinished(programs.remove);
  const child = fork(programs.file('massless-null'), {
    env: { PATH: process.env.PATH, ZONE_SIZE: '100', ITEMS_PER_CHARACTER: '2', DECODES_ONE_OF: '2', ...own },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [{ port }] = await once(child, 'message');
  return `http://127.0.0.1:${port}`;
}

test('everything is acknowledged as a real room would, and a transfer takes the character along', async () => {
  const url = await start({ SERVERS: '2' });
  const one = await enter(url, 2, 1);
  const welcome = await one.next('welcome');
  expect(welcome).toMatchObject({ player: 2, character: 2, last: 0, transferred: 0, zone: 1, items: [5, 6] });
  const steps = [1, -0.5, 0.25].map((x, i) => ({ seq: i + 1, x, z: -x }));
  for (const step of steps) one.send('input', step);
  const place = steps.reduce<Place>((at, step) => moved(at, step, 100), welcome);
  expect(await one.ackedTo(3)).toMatchObject({ seq: 3, ...place });
  // It decodes the state, and is in it; so are those whose moves make patches as long as real ones.
  await expect.poll(() => one.state.near?.get('2')?.x).toBe(Math.fround(place.x));
  expect(one.state.near?.size).toBeGreaterThan(10);
  one.send('trade', { seq: 4, to: 1, item: 5 });
  expect(await one.next('traded')).toEqual({ seq: 4, from: 2, to: 1, item: 5 });
  one.send('zone', { seq: 5, to: 4 });
  const { token, ...transfer } = await one.next('transfer');
  expect(transfer).toEqual({ seq: 5, zone: 4, server: 0 });
  expect(await one.closed).toBe(CLOSE.transferred);
  const again = await enter(url, 2, 4, token);
  expect(await again.next('welcome')).toMatchObject({ zone: 4, last: 5, transferred: 5, ...place });
  // It is no longer there twice.
  await expect.poll(() => again.patches).toBeGreaterThan(2);
  expect(again.state.near?.has('2')).toBe(true);
});

test('a seat needs the token of the run', async () => {
  const url = await start({ TOKEN: 'run' });
  expect(await reserve(url, 1, 0)).toEqual({
    error: 'the token of the run is missing or wrong',
    seat: { refused: 'the token of the run is missing or wrong' },
  });
  expect((await reserve(url, 1, 0, '', 'run')).seat).toHaveProperty('path');
});
