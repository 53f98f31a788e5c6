import { expect, test } from 'vitest';
import { ratesAt, valuesAt } from '../../src/measurement/readings.ts';
import { quantity } from '../../src/report/quantity.ts';
import { capbench, eventually, small } from '../e2e/capbench.ts';
import { browser, openTab } from './browser.ts';

/** The page as it is: its heading, the second that it shows, and the figures of that second. */
const LOOK = `(() => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? '';
  return {
    heading: text('#state h1'),
    link: text('#link'),
    second: Number(/of second (\\d+)/.exec(text('#operations .note'))?.[1] ?? 0),
    intents: Object.fromEntries([...document.querySelectorAll('#operations tbody tr:first-child td')].map((cell) => [cell.dataset.name ?? '', cell.textContent.replace('\\u00a0', ' ')])),
    paths: [...document.querySelectorAll('#chart-latency path, #chart-throughput path')].map((path) => path.getAttribute('d')),
    text: document.body.innerText,
  };
})()`;

interface Look {
  readonly heading: string;
  readonly link: string;
  readonly second: number;
  readonly intents: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
  readonly text: string;
}

test.skipIf(browser === undefined)(
  'the live view of a run: its figures are those of the report, it asks nobody else, and it logs no error',
  { timeout: 180_000 },
  async () => {
    const tab = await openTab();
    const run = capbench(['run', small, '--dashboard', '--set', 'load.duration=6s']);
    await run.says('live view: ');
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+\//.exec(run.output()) ?? [];
    await tab.open(url);
    const seen = new Map<number, Look>();
    /** Looks until it is so, and keeps what every second showed. */
    const until = (what: string, isSo: (look: Look) => boolean): Promise<Look> =>
      eventually(
        what,
        async () => {
          const now = await tab.read<Look>(LOOK);
          if (now === undefined) return null;
          if (now.second > 0) seen.set(now.second, now);
          return isSo(now) ? now : null;
        },
        120,
      );
    await until('a second of the load', ({ second }) => second >= 2);
    // Opened again, it has all of the run so far.
    await tab.open(url);
    await until(
      'the charts of a page that was opened late',
      ({ second, paths }) => second >= 3 && paths.length > 4,
    );
    await until('the measure phase', ({ heading }) => heading === 'Measuring');
    const last = await until('the verdict', ({ link }) => link.startsWith('the run is over'));
    const { code } = await run.ends(0, 90, 99);

    const { series } = run.measurements();
    const report = run.report();
    const shown = (second: number): Look['intents'] => ({
      due: quantity(ratesAt(series['load.intent.scheduled'], [second])[0] ?? null, '/s'),
      ...Object.fromEntries(
        ['p50', 'p95', 'p99'].map((stat) => [
          stat,
          quantity(valuesAt(series[`load.intent.${stat}Ms`], [second])[0] ?? null, 'ms'),
        ]),
      ),
    });
    for (const [second, { intents }] of seen)
      expect(intents, `second ${second}`).toMatchObject(shown(second));
    expect(seen.size).toBeGreaterThanOrEqual(3);
    expect(last.second).toBe(Math.floor(series['load.connected']?.points.at(-1)?.[0] ?? 0));
    const page = run.read('report.html');
    expect(last.paths.length).toBeGreaterThan(4);
    for (const path of last.paths) expect(page).toContain(`d="${path}"`);
    expect(last.link).toBe(`the run is over, exit code ${code}`);
    expect(last.text).toContain(`exit code ${code}`);
    expect(last.text.toLowerCase()).toContain(report.headline.toLowerCase());
    expect(last.text).toContain('report.html');

    expect(tab.errors).toEqual([]);
    const files = [...new Set(tab.requests)].filter((one) => !one.startsWith('data:')).sort();
    expect(files).toEqual(['', 'events', 'page.js', 'style.css'].map((path) => url + path));
    expect(run.leftovers()).toEqual({ processes: [], files: [] });
  },
);
