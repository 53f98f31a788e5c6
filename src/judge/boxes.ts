import { z } from 'zod';
import type { Figures, LimitFigures } from '../measurement/figures.ts';
import { cpusText, limitSetting, limitsOf, limitsText } from '../scenario/component-limits.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { FULL_PERCENT, isSlow } from './bottleneck.ts';
import type { Conclusion } from './conclusion.ts';
import type { JudgedRule } from './rules/rule.ts';

/** Of each component with limits: whether it held the players within them, as the report has it. */
export const boxesSchema = z.array(
  z.object({
    name: z.string().describe('Of the component, or stack.'),
    limits: z.string(),
    held: z.string().nullable().describe('How they were held in this run; null where that is not known.'),
    players: z.number().describe('That the run asked for.'),
    state: z.enum(['holds', 'does not hold', 'unknown']),
    because: z.string(),
    sparePercent: z
      .number()
      .nullable()
      .describe(
        'Of the limit that was used most, what was left: of CPU by its mean, of memory by its highest. Below 0: it was passed.',
      ),
  }),
);
export type Box = Readonly<z.infer<typeof boxesSchema>[number]>;

const whole = (share: number): string => `${share.toFixed(0)}%`;

/** Which limits hold the players, and by how much. Empty where the scenario has none, or none were watched. */
export function boxesOf(
  figures: Figures,
  scenario: Scenario,
  rules: readonly JudgedRule[],
  { rulings, invalidBecause }: Pick<Conclusion, 'rulings' | 'invalidBecause'>,
): readonly Box[] {
  const players = figures.load.requestedCcu;
  return Object.entries(figures.limits ?? {}).map(([name, of]) => {
    const passed = passedLimits(of);
    const used = [
      ...(of.cpus === null ? [] : [of.cpuPercent.mean]),
      ...(of.memoryBytes === null ? [] : [of.memoryPercent.max]),
    ];
    const known = used.flatMap((share) => share ?? []);
    const state = (one: Box['state'], because: string) => ({ state: one, because });
    const found =
      passed.length > 0
        ? state('does not hold', passed.join(', '))
        : known.length < used.length
          ? state('unknown', 'not all that is limited was measured')
          : invalidBecause.length > 0
            ? state('unknown', 'the run has no conclusion')
            : isSlow(rules, rulings)
              ? state('does not hold', 'within its limits the load was not sustained, or answers were slow')
              : state('holds', `${whole(100 - Math.max(...known))} of what is used most is left`);
    return {
      ...{ name, players, ...found },
      limits: limitsText(limitsOf(scenario, name) ?? {}),
      held: figures.stack.applied[limitSetting(name)] ?? null,
      sparePercent: known.length < used.length ? null : 100 - Math.max(...known),
    };
  });
}

/** What of its limits a component used up or passed. */
function passedLimits(of: LimitFigures): readonly string[] {
  const { cpus, cpuPercent, memoryPercent, outOfMemoryKills } = of;
  const kills = outOfMemoryKills ?? 0;
  return [
    ...(kills === 0
      ? []
      : [`the kernel killed ${kills === 1 ? 'a process' : `${kills} processes`} at its limit of memory`]),
    ...(memoryPercent.max !== null && memoryPercent.max > 100
      ? [`memory of up to ${whole(memoryPercent.max)} of its limit`]
      : []),
    ...(cpuPercent.mean !== null && cpuPercent.mean > FULL_PERCENT
      ? [`${whole(cpuPercent.mean)} of its ${cpusText(cpus ?? 0)} used`]
      : []),
  ];
}
