/** Figures of all faults of one component, and their units. */
export const OUTAGE_FIGURES = {
  count: 'faults',
  downSecondsMax: 's',
  recoverySecondsMax: 's',
  okPercent: '%',
  answeredPercent: '%',
  failedPercent: '%',
  disconnects: 'connections',
  lost: 'ops',
  lostInWindow: 'ops',
  phantom: 'ops',
  duplicated: 'ops',
} as const;

/** Of these there is one for each operation too. */
export const OUTAGE_SHARES = ['okPercent', 'answeredPercent', 'failedPercent'] as const;

export const OUTAGE_ROOM = 'outage';

/** A figure of the outages of one component. */
export interface OutageMetric {
  /** As faults name it: `postgres`, `world-1`, `players`. */
  readonly component: string;
  readonly figure: string;
  readonly unit: string;
  /** Null: of all operations together. */
  readonly operation: string | null;
}

const COMPONENT = /^[a-z][a-z0-9-]{0,63}$/;

/**
 * A figure by its path, `outage.<component>.<figure>` or `outage.<component>.operations.<operation>.<share>`; null for any
 * other path.
 */
export function outageMetricOf(path: string): OutageMetric | null {
  const [room, component = '', ...rest] = path.split('.');
  if (room !== OUTAGE_ROOM || !COMPONENT.test(component)) return null;
  const [figure = '', operation = null, share = ''] = rest;
  if (rest.length === 1 && Object.hasOwn(OUTAGE_FIGURES, figure)) {
    return { component, figure, unit: unitOf(figure), operation: null };
  }
  const isShare = rest.length === 3 && figure === 'operations' && OUTAGE_SHARES.some((one) => one === share);
  return isShare ? { component, figure: share, unit: unitOf(share), operation } : null;
}

const unitOf = (figure: string): string => OUTAGE_FIGURES[figure as keyof typeof OUTAGE_FIGURES];
