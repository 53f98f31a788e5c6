import type { ProbeAddresses } from '../address/probe-address.ts';
import type { Target } from '../address/target-address.ts';
import { ofOperation } from '../scenario/operations.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { peakOf } from '../scenario/stages.ts';
import { formatDuration, type Micros } from '../units.ts';

const count = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 });

/** What of such machines is about to be read, in a line; null when nothing is. */
export const readingLine = ({ foreign }: ProbeAddresses): string | null =>
  foreign.length === 0 ? null : `reading ${foreign.join(' and ')} once a second; owned, you say`;

/** What is about to be sent to machines that are not this one, in a line; null when nothing is. */
export function consentLine(
  targets: readonly Target[],
  { load, operations }: Pick<Scenario, 'load' | 'operations'>,
): string | null {
  const foreign = targets.filter((target) => target.foreign);
  if (foreign.length === 0) return null;
  const span = formatDuration((load.ramp + load.warmUp + load.duration) as Micros);
  const peak = peakOf(load.stages);
  const hosts = [...new Set(foreign.map(({ host }) => host))];
  const rates = operations.map(
    ({ id, label }) => `${count(peak * ofOperation(load.operations, id).perSecond)} ${label}/s`,
  );
  const at = foreign.map(({ url, addresses }) => `${url} (${addresses.join(', ')})`).join(' and ');
  return `loading ${at} for ${span}: ${[`${count(load.players)} players`, ...rates].join(', ')}; owned, you say: ${hosts.join(', ')}`;
}
