import { monotonic } from '../clock.ts';
import type { RunView } from '../dashboard/dashboard.ts';
import { percentileOf } from '../histogram.ts';
import type { Host } from '../host.ts';
import { areMany } from '../report/report-text.ts';
import type { Observer, Phase } from '../run/steps.ts';
import { grouped } from '../units.ts';

const REDRAW_MS = 250;
/** Without a terminal every line stays. */
const LOG_MS = 10_000;
const CLEAR_LINE = '\r\u001b[2K';

/** The progress of a run on stderr: one line that is redrawn on a terminal, elsewhere a line every 10 s. */
export interface LiveProgress extends Observer, Partial<Pick<RunView, 'begin' | 'judged'>> {
  connecting(connected: number): void;
  /** The expected length of the run, in seconds. */
  expect(seconds: number): void;
  /** Prints a line above the one that is redrawn. */
  say(text: string): void;
  end(): void;
}

/** The contents of the line; null is not known yet. Rates and latencies are of the last second, p95 of the first operation, or the highest of many. */
const NOTHING_YET = {
  phase: 'calibrate' as Phase,
  expectedSeconds: null as number | null,
  players: null as number | null,
  operationsPerSecond: null as number | null,
  p95Ms: null as number | null,
};

export function openProgress(host: Host, quiet: boolean): LiveProgress {
  const { stderr } = host;
  const live = stderr.isTTY && !quiet;
  const started = monotonic();
  let state = NOTHING_YET;
  const line = (columns: number): string =>
    progressLine({ ...state, elapsedSeconds: (monotonic() - started) / 1e6 }, columns);
  const draw = (): void => stderr.paint(CLEAR_LINE + line(stderr.columns));
  const log = (): void => stderr.write(`${line(stderr.columns).trimEnd()}\n`);
  const timer = quiet ? undefined : setInterval(live ? draw : log, live ? REDRAW_MS : LOG_MS);

  return {
    phase(phase) {
      state = { ...state, phase };
      if (live) draw();
    },
    connecting(connected) {
      state = { ...state, players: connected };
    },
    expect(seconds) {
      state = { ...state, expectedSeconds: seconds };
    },
    second({ connected, operations }) {
      const all = Object.values(operations);
      const shown = areMany(all) ? all : all.slice(0, 1);
      const known = shown.flatMap(({ due }) => percentileOf(due, 95) ?? []);
      const p95 = known.length === 0 ? null : Math.max(...known);
      state = {
        ...state,
        players: connected,
        operationsPerSecond: all.reduce((sum, { ok, rejected }) => sum + ok + rejected, 0),
        p95Ms: p95 === null ? null : p95 / 1e3,
      };
    },
    say(text) {
      if (live) stderr.paint(CLEAR_LINE);
      stderr.write(`${text}\n`);
    },
    end() {
      clearInterval(timer);
      if (live) stderr.paint(CLEAR_LINE);
    },
  };
}

/** At most as wide as the terminal: phase, elapsed and expected time, players, operations/s, p95. */
function progressLine(progress: typeof NOTHING_YET & { elapsedSeconds: number }, columns: number): string {
  const { phase, elapsedSeconds, expectedSeconds, players, operationsPerSecond, p95Ms } = progress;
  const about = expectedSeconds === null ? '' : ` of about ${grouped(expectedSeconds, 0)} s`;
  const parts = [`${phase.padEnd(9)} ${grouped(elapsedSeconds, 0)} s${about}`];
  if (players !== null) parts.push(`${grouped(players, 0)} players`);
  if (operationsPerSecond !== null) parts.push(`${grouped(operationsPerSecond, 0)} operations/s`);
  if (p95Ms !== null) parts.push(`p95 ${p95Ms < 10 ? p95Ms.toFixed(1) : grouped(p95Ms, 0)} ms`);
  return parts.join('  ').slice(0, Math.max(10, columns - 1));
}
