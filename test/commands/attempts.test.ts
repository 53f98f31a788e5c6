import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runAttempts } from '../../src/commands/attempts.ts';
import type { Published } from '../../src/commands/publish.ts';
import type { RunPlace } from '../../src/commands/single-run.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** Attempts that end with these codes, one after the other; `stopAfter`: Ctrl-C comes while this one ends. */
async function attempts(codes: readonly number[], retries: number, stopAfter = 0) {
  const bundle = temporaryFolder();
  const stop = new AbortController();
  const said: string[] = [];
  const places: RunPlace[] = [];
  let completed = 0;
  const place: RunPlace = {
    ...{ bundle, startedAt: new Date(0), fixed: [], stop: stop.signal, abort: stop.signal },
    complete: () => {
      completed += 1;
    },
  };
  const published = await runAttempts(place, { retries, say: (text) => said.push(text) }, async (attempt) => {
    places.push(attempt);
    const number = places.length;
    mkdirSync(join(bundle, 'logs'));
    writeFileSync(join(bundle, 'report.json'), String(number));
    attempt.complete();
    if (number === stopAfter) stop.abort();
    const report = {
      exitCode: codes[number - 1],
      headline: `headline ${number}`,
      invalidBecause: [`reason ${number}`],
    };
    return { report, exitCode: report.exitCode } as unknown as Published;
  });
  const kept = readdirSync(bundle).includes('attempts') ? readdirSync(join(bundle, 'attempts')) : [];
  return {
    ...{ published, said, places, completed, kept: kept.toSorted() },
    last: readFileSync(join(bundle, 'report.json'), 'utf8'),
    aside: kept.toSorted().map((name) => readFileSync(join(bundle, 'attempts', name, 'report.json'), 'utf8')),
  };
}

test.each<[codes: readonly number[], retries: number, made: number]>([
  [[0], 2, 1],
  [[90, 0], 2, 2],
  [[90, 90, 99], 2, 3],
  [[90, 90, 90, 0], 2, 3],
  [[90], 0, 1],
  // Only what has no conclusion is made again.
  [[99, 0], 5, 1],
  [[92, 0], 5, 1],
  [[93, 0], 5, 1],
  [[105, 0], 5, 1],
])('attempts that end with %j, %i retries: %i made', async (codes, retries, made) => {
  const { published, said, places, kept, last, aside } = await attempts(codes, retries);
  expect(places).toHaveLength(made);
  expect(published.report.exitCode).toBe(codes[made - 1]);
  // The last one is the bundle, and each before it lies whole in a folder of its own.
  const earlier = Array.from({ length: made - 1 }, (_, i) => String(i + 1));
  expect(last).toBe(String(made));
  expect(kept).toEqual(earlier);
  expect(aside).toEqual(earlier);
  expect(said).toHaveLength(made - 1);
  expect(places.at(-1)?.earlierAttempts ?? []).toEqual(
    earlier.map((number) => ({ bundle: `attempts/${number}`, because: `reason ${number}` })),
  );
});

test('after Ctrl-C nothing is made again', async () => {
  const { places, kept, published } = await attempts([90, 90, 0], 5, 2);
  expect(places).toHaveLength(2);
  expect(kept).toEqual(['1']);
  expect(published.report.exitCode).toBe(90);
});

test('only the last possible attempt is complete, since a signal has to prevent the others', async () => {
  expect((await attempts([90, 90, 90], 2)).completed).toBe(1);
  expect((await attempts([90, 0], 2)).completed).toBe(0);
});
