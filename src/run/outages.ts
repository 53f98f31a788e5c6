import type { Outage } from '../probe/excuses.ts';

/** The outages that faults cause, while they last and afterwards. */
export interface OutageLog {
  readonly all: () => readonly Outage[];
  /** Begins an outage, and returns how it ends. Microseconds after GO; it lasts for good where it ends with null. */
  begin(outage: Pick<Outage, 'of' | 'action' | 'from'>): (to: number | null) => void;
}

export function openOutageLog(): OutageLog {
  const all: Outage[] = [];
  return {
    all: () => all,
    begin(outage) {
      const index = all.push({ ...outage, to: null }) - 1;
      return (to) => {
        all[index] = { ...outage, to };
      };
    },
  };
}
