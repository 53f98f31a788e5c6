import { monotonic } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Measurements } from '../measurement/measurements.ts';
import type { SystemFigures } from '../measurement/system-figures.ts';
import type { Report } from '../report/report.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Clock, FILES, SLOTS } from './live-page.ts';
import {
  type Ended,
  earlierPart,
  failedPart,
  judgedParts,
  type LiveParts,
  loadParts,
  stateParts,
} from './live-parts.ts';
import { servePage } from './server.ts';
import { reportSoFar } from './so-far.ts';
import { type EventSink, Viewers } from './viewers.ts';

/** What is run. */
export interface RunKind {
  readonly scenario: Scenario;
  /** The figures that only its system has. */
  readonly figures: SystemFigures | undefined;
  readonly engine: string;
}

/** The page follows one run: what happens, in that order. None of it throws, and none waits for a viewer. */
export interface RunView {
  begin(kind: RunKind): void;
  phase(phase: string): void;
  /** Of the whole run. */
  expect(seconds: number): void;
  connecting(connected: number): void;
  follow(soFar: () => Measurements): void;
  /** The load has reported a second. */
  second(): void;
  /** @param page the path of its report */
  judged(report: Report, m: Measurements, scenario: Scenario, page: string): void;
}

export interface Dashboard {
  readonly url: string;
  /** The next run; `name` says which of several. */
  run(name: string | null): RunView;
  /** Viewers learn that nothing more comes. Waits for them a fraction of a second at most; only the first call counts. */
  close(words: LastWords): Promise<void>;
}

/** How a command ended. */
export interface LastWords {
  /** What is over: `the run`. */
  readonly over: string;
  /** Of the command: of all its runs together, and of what they were compared with. */
  readonly exitCode?: number;
  /** Why it has no verdict of its own; absent: it has one, or its runs have. */
  readonly because?: string;
}

/** The page is drawn this often at most, and takes this share of the time at most, of one core. */
const SHORTEST_MS = 200;
const SHARE = 0.05;

/** A run while it goes on. */
interface Current {
  readonly name: string | null;
  kind: RunKind | null;
  phase: string;
  readonly began: number;
  expectedSeconds: number | null;
  connecting: number | null;
  soFar: (() => Measurements) | null;
  /** The load has reported something since it was drawn. */
  isNews: boolean;
  isJudged: boolean;
}

const NOTHING_SHOWN: LiveParts = Object.fromEntries(SLOTS.map((id) => [id, '']));

/**
 * Serves the live view at a port of this host.
 * @param port 0: any free one
 * @param clean removes secrets from what is sent
 * @throws CapbenchError (93) where the port cannot be had
 */
export async function openDashboard(port: number, clean: (text: string) => string): Promise<Dashboard> {
  const viewers = new Viewers(monotonic().toString(36).replace(/\W/g, ''));
  const ended: Ended[] = [];
  let current: Current | null = null;
  let timer: NodeJS.Timeout | undefined;
  let drawnUntil = 0;
  let isClosed = false;

  const publish = (parts: LiveParts): void =>
    viewers.publish(Object.fromEntries(Object.entries(parts).map(([id, html]) => [id, clean(html)])));

  const draw = (): void => {
    timer = undefined;
    if (current === null || current.kind === null || current.isJudged || isClosed) return;
    const began = monotonic();
    try {
      publish(partsOf(current, current.kind));
    } catch (thrown) {
      // Looking at a run must not end it.
      publish({ state: failedPart(`this page cannot be drawn: ${messageOf(thrown)}; the run goes on`) });
    }
    const took = (monotonic() - began) / 1e3;
    drawnUntil = began / 1e3 + Math.max(SHORTEST_MS, took / SHARE);
  };
  /** Draws soon, and only where somebody looks. */
  const changed = (): void => {
    if (timer !== undefined || viewers.count === 0 || isClosed) return;
    timer = setTimeout(draw, Math.max(0, drawnUntil - monotonic() / 1e3)).unref();
  };

  const audience = {
    get count() {
      return viewers.count;
    },
    add(sink: EventSink, lastEventId: string | undefined) {
      viewers.add(sink, lastEventId);
      changed();
    },
  };
  const server = await servePage(port, FILES, audience);

  return {
    url: server.url,
    run(name) {
      const own: Current = {
        ...{
          name,
          kind: null,
          phase: 'calibrate',
          began: monotonic(),
          expectedSeconds: null,
          connecting: null,
        },
        ...{ soFar: null, isNews: false, isJudged: false },
      };
      current = own;
      const set = (news: Partial<Current>): void => {
        Object.assign(own, news);
        if (own === current) changed();
      };
      return {
        begin(kind) {
          publish({ ...NOTHING_SHOWN, earlier: earlierPart(ended) });
          set({ kind });
        },
        phase: (phase) => set({ phase, isNews: true }),
        expect: (expectedSeconds) => set({ expectedSeconds }),
        connecting: (connecting) => set({ connecting }),
        follow: (soFar) => set({ soFar }),
        second: () => set({ isNews: true }),
        judged(report, m, scenario, page) {
          own.isJudged = true;
          if (name !== null) {
            const { outcome, exitCode, headline } = report;
            ended.push({ name, report: { outcome, exitCode, headline }, page });
          }
          // Charts take longer than a run without viewers should wait for.
          if (viewers.count === 0) return;
          try {
            publish({ ...judgedParts(report, m, scenario, page), clock: clockOf(null, null) });
          } catch (thrown) {
            publish({
              state: failedPart(`this page cannot be drawn: ${messageOf(thrown)}. The report: ${page}`),
            });
          }
          publish({ earlier: earlierPart(ended) });
        },
      };
    },
    async close({ over, exitCode, because }) {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(timer);
      const words: LiveParts =
        because === undefined ? {} : { state: failedPart(because), ending: '', notes: '' };
      const last = {
        ...words,
        clock: clockOf(null, null),
        over: `${over} is over${exitCode === undefined ? '' : `, exit code ${exitCode}`}`,
      };
      await viewers.end(Object.fromEntries(Object.entries(last).map(([id, html]) => [id, clean(html)])));
      server.close();
    },
  };
}

function partsOf(current: Current, kind: RunKind): LiveParts {
  const { name, phase, connecting, soFar, isNews, began, expectedSeconds } = current;
  const { scenario, figures, engine } = kind;
  const m = soFar?.() ?? null;
  const shown = { scenario, name, engine, phase, connecting };
  const parts = {
    ...stateParts(shown, m),
    clock: clockOf((monotonic() - began) / 1e6, expectedSeconds),
  };
  if (m === null || !isNews) return parts;
  current.isNews = false;
  return { ...parts, ...loadParts(reportSoFar(m, scenario, figures), m, scenario) };
}

const clockOf = (elapsedSeconds: number | null, expectedSeconds: number | null): string =>
  JSON.stringify({ elapsedSeconds, expectedSeconds } satisfies Clock);
