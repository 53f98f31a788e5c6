/** Of the check of the rows. */
export const LOST_NOTHING = { lost: 0, phantom: 0, duplicated: 0, holes: 0 };

type Ends = 'ok' | 'rejected' | 'failed' | 'timedOut' | 'skipped' | 'unfinished' | 'idle';

/** How many operations came to one end or another: as many as were scheduled. */
export const settled = (of: Readonly<Record<Ends, number>>): number =>
  of.ok + of.rejected + of.failed + of.timedOut + of.skipped + of.unfinished + of.idle;
