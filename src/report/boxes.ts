import { numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';

type Box = NonNullable<Report['boxes']>[number];
type Used = NonNullable<Report['limits']>[string];

/** The table of the limits: which hold the players, and by how much. */
export const BOX_COLUMNS = ['limits of', 'limits', 'held by', 'players', 'CPU', 'memory', 'left', 'result'];

/** The cells of a row, as texts. */
export const boxCells = (
  { name, limits, held, players, state, because, sparePercent }: Box,
  used: Used | undefined,
): readonly string[] => [
  name,
  limits,
  held ?? 'not known',
  numberText(players),
  used === undefined || used.cpus === null
    ? 'no limit'
    : `${quantity(used.cpuPercent.mean, '%')}, peak ${quantity(used.cpuPercent.max, '%')}`,
  used === undefined || used.memoryBytes === null
    ? 'no limit'
    : `up to ${quantity(used.memoryPercent.max, '%')}`,
  quantity(sparePercent, '%'),
  state === 'holds' ? state : `${state}: ${because}`,
];
