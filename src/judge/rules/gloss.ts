/** A rule in words, for readers who do not know its id. */
export interface Gloss {
  /** What it checks: `steadiness of p95`. */
  readonly title: string;
  /** Of a limit and an observed value that are numbers. */
  readonly unit: string;
  /** On which side of its limit the observed number has to be; null: the limit is a text. */
  readonly bound: 'at most' | 'at least' | null;
}

const most = (title: string, unit: string): Gloss => ({ title, unit, bound: 'at most' });
const least = (title: string, unit: string): Gloss => ({ title, unit, bound: 'at least' });
const words = (title: string, unit = ''): Gloss => ({ title, unit, bound: null });

/** By the first part of the id; README.md of judge/ explains each. */
const GLOSSES: Readonly<Record<string, Gloss>> = {
  'budgets-measured': words('your own budgets have a figure', 'budgets'),
  'run-completed': words('end of the run'),
  conservation: most('operations missing from the counts', 'operations'),
  'schedule-kept': words('operations that became due, against rate times duration', 'operations'),
  'ccu-reached': least('most players connected at once', 'players'),
  presence: least('players connected on average', 'players'),
  'load-sustained': least('sent, of what was due', '%'),
  answered: most('failed, timed out or unfinished, of what was due', '%'),
  rejected: most('rejected, of what was due', '%'),
  'operations-failed': most('sent and failed, of what was due', '%'),
  'deliveries-complete': most('not heard by players who had to, of those who could', '%'),
  'stages-measured': words('stages that were measured'),
  answers: least('answers received', 'operations'),
  'steal-mean': most('CPU that the hypervisor gave to others, on average', '%'),
  'steal-max': most('CPU that the hypervisor gave to others, in any second', '%'),
  throttled: most('periods in which the CPU quota was used up', 'periods'),
  'memory-pressure': most('time in which all processes waited for memory', '%'),
  'cpu-pressure': most('time in which a process waited for a CPU', '%'),
  'foreign-cpu': most('CPU used by processes outside the run', '%'),
  canary: most('change in the time of a fixed piece of work, from before the run to after it', '%'),
  clock: most('change of the wall clock during the run', 'ms'),
  'generator-loop-delay': most('longest block of a load process', 'ms'),
  'generator-stalled': most('time in which a load process was late by more than 10 ms', '%'),
  'generator-utilisation': most('utilisation of the busiest load process', '%'),
  'generator-lag': most('p99 of the schedule lag that the generator caused', 'ms'),
  'generator-calibration': words('rate of the generator against servers that do nothing'),
  'agent-clocks': most('by how much the clock of an agent may be off', 'ms'),
  'steady-throughput': most('steadiness of throughput from the first quarter to the last', '%'),
  'steady-p95': most('steadiness of p95 from the first quarter to the last', '%'),
  samples: least('confidence that the percentile meets its budget', '%'),
  'probes-gave-data': words('probes that gave data'),
  'metrics-readable': words('readable lines of the target’s metrics page'),
  protocol: most('answers that no request was waiting for', 'answers'),
  'faults-injected': words('planned faults that happened'),
  integrity: words('acknowledged operations, against the rows'),
  'integrity-proof': words('what the rows can prove'),
  'saves-reported': least('saved operations that were reported as saved', '%'),
  'row-writes-agree': most('difference between the row writes that servers and PostgreSQL count', '%'),
  'scenario-agrees': words('facts of the run, against the scenario'),
  'server-counts-agree': words('operations that the servers count, against those sent and answered'),
  'counters-go-on': words('counters that were there to the end'),
};

/** The words for a rule, and for the operation and the stage in its id: `sent, of what was due: intents, stage spike`. */
export function glossOf(
  id: string,
  operations: readonly { readonly id: string; readonly label: string }[],
): Gloss {
  const [rule = '', first, ...rest] = id.split('.');
  const gloss = GLOSSES[rule] ?? words(rule);
  if (first === undefined) return gloss;
  const label = operations.find((operation) => operation.id === first)?.label;
  const scope =
    label === undefined
      ? [first, ...rest].join('.')
      : [label, ...(rest.length === 0 ? [] : [`stage ${rest.join('.')}`])].join(', ');
  return { ...gloss, title: `${gloss.title}: ${scope}` };
}
