import http from 'k6/http';
import type { Range } from '../../../../load/fleet/messages.ts';

/** One world server, and what it owns: players by id, monsters by index. */
export interface World {
  readonly url: string;
  readonly players: Range;
  readonly monsters: Range;
}

interface Health {
  readonly playersTotal: number;
  readonly monstersTotal: number;
  readonly players: Range;
  /** By id, which come after those of the players. */
  readonly monsters: Range;
}

/** Asks each world server what it owns. @throws where they are not the servers of one world that this script loads */
export function worldsAt(urls: readonly string[]): World[] {
  const worlds = urls.map((url): World => {
    const response = http.get(`${url}/health`);
    if (response.status !== 200) {
      throw new Error(`${url}/health answers ${response.status} ${response.error}`);
    }
    const { playersTotal, monstersTotal, players, monsters } = response.json() as unknown as Health;
    if (playersTotal !== CONFIG.players || monstersTotal !== CONFIG.monsters) {
      throw new Error(
        `${url} serves a world of ${playersTotal} players and ${monstersTotal} monsters, this script loads ${CONFIG.players} and ${CONFIG.monsters}`,
      );
    }
    return { url, players, monsters: { from: monsters.from - playersTotal, to: monsters.to - playersTotal } };
  });
  for (const kind of ['players', 'monsters'] as const) {
    let covered = 0;
    const ranges = worlds.map((world) => world[kind]).sort((a, b) => a.from - b.from || a.to - b.to);
    for (const { from, to } of ranges) covered = from === covered && to >= from ? to : Number.NaN;
    if (covered !== CONFIG[kind]) {
      throw new Error('BASE_URLS has to name every world server of one world, each once');
    }
  }
  return worlds;
}
