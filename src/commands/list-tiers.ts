import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { boxOf } from '../model/emulation.ts';
import type { Tier } from '../model/tier.ts';
import { bytesText } from '../report/quantity.ts';
import { cpuText } from '../report/sizing-text.ts';
import { cpusText } from '../scenario/component-limits.ts';
import { table } from './table.ts';
import { givenTiers, today, unheldBecause } from './tiers.ts';

const COLUMNS = ['TIER', 'CPU', 'MEMORY', 'A MONTH', 'READ', 'AS WHICH A STACK CAN RUN HERE'];

/**
 * Prints the machines that `--tier` and `capbench size` know, and as which of them a stack can run on this host.
 * @param files of tiers; none: those that come with capbench
 * @throws CapbenchError (104) with every error of a file
 */
export async function listTiers(host: Host, files: readonly string[], json: boolean): Promise<void> {
  const tiers = await givenTiers(host, files, today());
  const known = await Promise.all(tiers.map(async (tier) => ({ tier, here: await hereOf(tier, host) })));
  if (json) {
    const rows = known.map(({ tier, here }) => ({ ...tier, here }));
    host.stdout.write(jsonText(rows));
    return;
  }
  const rows = known.map(({ tier, here: { box, because } }) => {
    const { id, memoryBytes, price } = tier;
    return [
      ...[id, cpuText(tier), bytesText(memoryBytes)],
      price === null ? '' : `${price.amount.toFixed(2)} ${price.currency}`,
      price?.read ?? '',
      box === null ? `no: ${because}` : `${cpusText(box.cpus)}, ${box.memory}MB`,
    ];
  });
  host.stdout.write(`${table([COLUMNS, ...rows], '', host.stdout.columns).join('\n')}\n`);
}

/** What a stack gets with `--tier` on this host, or why it cannot run as this machine. */
async function hereOf(tier: Tier, host: Pick<Host, 'env' | 'machine'>) {
  const box = boxOf(tier);
  if ('because' in box) return { box: null, because: box.because };
  const { cpus } = host.machine;
  if (box.cpus > cpus) return { box: null, because: `${cpusText(box.cpus)}, and this host has ${cpus}` };
  const unheld = await unheldBecause(host, box);
  return unheld === null ? { box, because: null } : { box: null, because: unheld.why };
}
