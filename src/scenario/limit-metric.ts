/** Figures of a component that has limits, their units, and whether each has mean, minimum and maximum over the seconds. */
const FIGURES = {
  cpuPercent: { unit: '%', isSpread: true },
  memoryPercent: { unit: '%', isSpread: true },
  throttledPercent: { unit: '%', isSpread: false },
  outOfMemoryKills: { unit: 'kills', isSpread: false },
} as const;

export type LimitFigure = keyof typeof FIGURES;
export const LIMIT_FIGURES = Object.keys(FIGURES) as readonly LimitFigure[];

export const LIMIT_ROOM = 'limits';

export interface LimitMetric {
  /** As faults name it: `postgres`, `world-1`. */
  readonly component: string;
  readonly figure: LimitFigure;
  readonly unit: string;
  readonly isSpread: boolean;
}

const COMPONENT = /^[a-z][a-z0-9-]{0,63}$/;

/** A figure by its path, `limits.<component>.<figure>`; null for any other path. */
export function limitMetricOf(path: string): LimitMetric | null {
  const [room, component = '', figure = '', ...more] = path.split('.');
  if (room !== LIMIT_ROOM || more.length > 0 || !COMPONENT.test(component)) return null;
  const known = LIMIT_FIGURES.find((one) => one === figure);
  return known === undefined ? null : { component, figure: known, ...FIGURES[known] };
}
