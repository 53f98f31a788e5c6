import { percentileOf } from '../../../src/histogram.ts';
import type { Workload } from '../../../src/scenario/workload.ts';
import { seconds as ofSeconds } from '../../../src/units.ts';
import { type OPERATIONS, workloadWith } from '../../load/a-workload.ts';
import { loadByEngine } from '../native-load.ts';
import { percentilesOf } from './percentiles.ts';
import type { Offer, Tool } from './tool.ts';

/** What the known worlds hold. */
export const PLAYERS = 1;
export const MONSTERS = 800;
const WARM_UP_SECONDS = 2;

/** One stream of due times, one to each 1/rate, so that a short run has the rate exactly and no luck. */
export const intentsAt = ({ rate, seconds }: Omit<Offer, 'url'>): Workload =>
  workloadWith({
    ...{ players: PLAYERS, intentRate: rate / PLAYERS, monsters: MONSTERS, postRate: 0 },
    ...{ warmUp: WARM_UP_SECONDS, duration: seconds },
    // As many as come due while a server stalls: nobody waits for an answer before asking again.
    ...{ outstanding: rate, skipAfter: ofSeconds(1) },
  });

export const commandsAt = ({ rate, seconds }: Omit<Offer, 'url'>): Workload =>
  workloadWith({
    ...{ players: PLAYERS, intentRate: 0, monsters: MONSTERS, postRate: rate, commandsPerPost: 1 },
    ...{ warmUp: WARM_UP_SECONDS, duration: seconds },
  });

function capbench(
  wire: Tool['wire'],
  operation: (typeof OPERATIONS)[number],
  workload: typeof intentsAt,
): Tool {
  return {
    ...{ name: 'capbench', wire, obtain: '', ours: true },
    version: async () => 'this one',
    async measure(run, offer) {
      const { tally } = await loadByEngine(run, offer.url, workload(offer));
      const { due, measured } = tally.operations[operation];
      return {
        // What was not answered is slower than everything that was.
        percentiles: percentilesOf(
          (percent) => (percentileOf(due, percent, measured.scheduled) ?? Number.POSITIVE_INFINITY) / 1e3,
        ),
        perSecond: measured.ok / offer.seconds,
      };
    },
  };
}

export const CAPBENCH: readonly Tool[] = [
  capbench('WebSocket', 'intent', intentsAt),
  capbench('HTTP', 'monsterCommand', commandsAt),
];
