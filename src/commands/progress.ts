import { monotonic } from '../clock.ts';
import { percentileOf } from '../histogram.ts';
import type { Host } from '../host.ts';
import { type Progress, progressLine } from '../report/progress.ts';
import type { Observer } from '../run/phases.ts';
import { OPERATIONS } from '../scenario/workload.ts';

const REDRAW_MS = 250;
const CLEAR_LINE = '\r\u001b[2K';

/** The live line of a run on stderr, where that is a terminal; silent elsewhere. */
export interface LiveProgress extends Observer {
  connecting(connected: number): void;
  /** A line that stays, above the live one. */
  say(text: string): void;
  end(): void;
}

export function openProgress(host: Host, quiet: boolean): LiveProgress {
  const { stderr } = host;
  const live = stderr.isTTY && !quiet;
  const started = monotonic();
  let state: Omit<Progress, 'elapsedSeconds'> = {
    phase: 'stack',
    players: null,
    operationsPerSecond: null,
    p95Ms: null,
  };
  const draw = (): void => {
    const elapsedSeconds = (monotonic() - started) / 1e6;
    stderr.write(CLEAR_LINE + progressLine({ ...state, elapsedSeconds }, stderr.columns));
  };
  const timer = live ? setInterval(draw, REDRAW_MS) : undefined;

  return {
    phase(phase) {
      state = { ...state, phase };
      if (live) draw();
    },
    connecting(connected) {
      state = { ...state, players: connected };
    },
    second({ connected, operations }) {
      const p95 = percentileOf(operations.intent.due, 95);
      state = {
        ...state,
        players: connected,
        operationsPerSecond: OPERATIONS.map((name) => operations[name].ok + operations[name].rejected).reduce(
          (sum, own) => sum + own,
          0,
        ),
        p95Ms: p95 === null ? null : p95 / 1e3,
      };
    },
    say(text) {
      if (live) stderr.write(CLEAR_LINE);
      stderr.write(`${text}\n`);
    },
    end() {
      clearInterval(timer);
      if (live) stderr.write(CLEAR_LINE);
    },
  };
}
