/** What outages of a component may cost, as its system states it. */
interface StatedWindow {
  readonly of: string;
  /** How long before the outage the lost operations were acknowledged, at most; null: at any time. */
  readonly withinSeconds: number | null;
}

/** Such as `the stated window of 6 s (redis)`. */
export const statedWindows = (windows: readonly StatedWindow[]): string =>
  `the stated ${windows.length === 1 ? 'window' : 'windows'} ${windows
    .map(
      ({ of, withinSeconds }) =>
        `${withinSeconds === null ? 'without limit' : `of ${withinSeconds} s`} (${of})`,
    )
    .join(' and ')}`;
