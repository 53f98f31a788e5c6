import { badInput } from '../../errors.ts';
import { type K6System, playerUsersOf } from '../../load/k6/k6-system.ts';
import { ofOperation } from '../../scenario/operations.ts';
import type { Workload } from '../../scenario/workload.ts';

/** How a k6 script runs on a cluster, apart from the script. */
export interface Deployment {
  /** Of the TestRun; the other names are made of it. */
  readonly name: string;
  readonly namespace: string;
  /** Runners of k6: each gets an equal segment of the virtual users. */
  readonly parallelism: number;
  /** World servers as the runners reach them. */
  readonly targets: readonly string[];
  /** Where Prometheus takes remote writes. */
  readonly prometheus: string;
  /** What there is to deal: in words. */
  readonly users: string;
  /** Of one runner. */
  readonly cpuMillicores: number;
  readonly memoryMegabytes: number;
}

/** What is given; the rest follows from the load. */
export interface DeploymentOptions extends Pick<Deployment, 'namespace' | 'targets' | 'prometheus'> {
  /** Null: as many as the load needs. */
  readonly parallelism: number | null;
}

/** What k6 2.2 took of us: CPU for a round trip, and memory for a virtual user that holds a WebSocket. */
const MICROS_PER_ROUND_TRIP = 180;
const MEGABYTES_PER_PLAYER = 0.4;
const MEGABYTES_OF_K6 = 200;
/** A runner is given no more than it holds without being late: some 0.8 cores' work. */
const MOST_ROUND_TRIPS = 4500;
const MOST_PLAYERS = 5000;
/** The script, with the name of the runner behind it, has to fit into a label of 63. */
const LONGEST_NAME = 48;

/** @throws CapbenchError (104) when there are more runners than virtual users of a kind to deal to them */
export function deploymentOf(
  scenario: string,
  system: K6System,
  workload: Workload,
  { parallelism, ...given }: DeploymentOptions,
): Deployment {
  const { players } = workload;
  const perSample = system.perSample(workload);
  const roundTrips = workload.operations.reduce(
    (sum, { id, perSecond }) => sum + perSecond / ofOperation(perSample, id),
    0,
  );
  const others = system.others(workload);
  const kinds = [
    { count: playerUsersOf(workload), label: 'blocks of players' },
    ...(others === null ? [] : [others]),
  ];
  const fewest = kinds.reduce((least, kind) => (kind.count < least.count ? kind : least));
  const most = fewest.count;
  if (parallelism !== null && parallelism > most) {
    throw badInput(
      `--parallelism ${parallelism}: there are ${most} ${fewest.label} to deal, and a runner without any would have nothing to do`,
      `at most ${most}; what acts in order is not divided`,
    );
  }
  const needed = Math.max(1, Math.ceil(roundTrips / MOST_ROUND_TRIPS), Math.ceil(players / MOST_PLAYERS));
  const runners = parallelism ?? Math.min(most, needed);
  return {
    ...given,
    name: `capbench-${scenario}`.slice(0, LONGEST_NAME).replace(/-+$/, ''),
    parallelism: runners,
    users: kinds.map(({ label }) => label).join(' and '),
    cpuMillicores: Math.max(500, upTo(100, (roundTrips / runners) * (MICROS_PER_ROUND_TRIP / 1e3))),
    memoryMegabytes: upTo(64, MEGABYTES_OF_K6 + Math.ceil(players / runners) * MEGABYTES_PER_PLAYER),
  };
}

const upTo = (step: number, value: number): number => step * Math.ceil(value / step);
