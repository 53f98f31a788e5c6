import { numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';

type Agent = NonNullable<Report['generator']['agents']>[number];

const COLUMNS: readonly (readonly [head: string, cell: (agent: Agent) => string])[] = [
  ['agent', ({ address }) => address],
  ['load processes', ({ workers }) => numberText(workers)],
  ['host', ({ onThisHost }) => (onThisHost ? 'this one' : 'another one')],
  ['clock known to', ({ clockUncertaintyMs }) => quantity(clockUncertaintyMs, 'ms')],
  ['drift', ({ driftMs }) => (driftMs === null ? 'not read again' : quantity(driftMs, 'ms'))],
  ['offset', ({ clockOffsetMs }) => quantity(clockOffsetMs, 'ms')],
  ['round trip', ({ roundTripMs }) => quantity(roundTripMs, 'ms')],
];

/** Where the load came from, and how well its clocks were known: a head and a row for each agent; no rows where it was this host. */
export const agentTable = ({ generator: { agents = [] } }: Pick<Report, 'generator'>) => ({
  head: COLUMNS.map(([head]) => head),
  rows: agents.map((agent) => COLUMNS.map(([, cell]) => cell(agent))),
});
