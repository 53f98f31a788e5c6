import { type Dashboard, openDashboard, type RunView } from '../dashboard/dashboard.ts';
import { badInput } from '../errors.ts';
import type { Host } from '../host.ts';
import type { LiveProgress } from './progress.ts';

/** The option of a live view, as given; true where it names no port. */
export interface DashboardFlags {
  readonly dashboard?: string | true;
}

const HIGHEST_PORT = 65_535;

function portOf(given: string | true): number {
  if (given === true) return 0;
  const port = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (port <= HIGHEST_PORT) return port;
  throw badInput(
    `--dashboard: got ${JSON.stringify(given)}, expected a port of 0 to ${HIGHEST_PORT}`,
    'without a port any free one is taken; the scenario stands before --dashboard then',
  );
}

/**
 * The live view that `--dashboard` asks for, and its address on stderr; null where nobody asked.
 * @throws CapbenchError (104) for what is no port, (93) where the port cannot be had
 */
export async function openLiveView(
  host: Host,
  { dashboard: given }: DashboardFlags,
  say: (text: string) => void,
): Promise<Dashboard | null> {
  if (given === undefined) return null;
  const port = portOf(given);
  const dashboard = await openDashboard(port, (text) => host.redaction.artefact('live.html', text) ?? '');
  say(`live view: ${dashboard.url}`);
  return dashboard;
}

/** Progress that is shown on a page, too. */
export const withView = (progress: LiveProgress, view: RunView | undefined): LiveProgress =>
  view === undefined
    ? progress
    : {
        ...progress,
        phase(phase) {
          progress.phase(phase);
          view.phase(phase);
        },
        second(second) {
          progress.second(second);
          view.second();
        },
        connecting(connected) {
          progress.connecting(connected);
          view.connecting(connected);
        },
        expect(seconds) {
          progress.expect(seconds);
          view.expect(seconds);
        },
        follow: view.follow,
        begin: view.begin,
        judged: view.judged,
      };
