import { setUp } from '../../../../export/k6/script/setup.ts';
import { worldsAt } from './worlds.ts';

export { options } from '../../../../export/k6/script/options.ts';
export { handleSummary } from '../../../../export/k6/script/summary.ts';
export { lane } from './lane.ts';
export { players } from './players.ts';
export const setup = () => setUp(worldsAt);
