/** Who owns what, as JavaScript, from what the world servers say of themselves. */
export const WORLDS_SOURCE = `
// --- The world servers --------------------------------------------------------------------------------------------------

function worldsOf(urls) {
  const worlds = urls.map((url) => {
    const response = http.get(url + '/health');
    if (response.status !== 200) throw new Error(url + '/health answers ' + response.status + ' ' + response.error);
    const { playersTotal, monstersTotal, players, monsters } = response.json();
    if (playersTotal !== CONFIG.players || monstersTotal !== CONFIG.monsters) {
      throw new Error(
        url + ' serves a world of ' + playersTotal + ' players and ' + monstersTotal + ' monsters, this script loads ' +
          CONFIG.players + ' and ' + CONFIG.monsters,
      );
    }
    return { url, players, monsters: { from: monsters.from - playersTotal, to: monsters.to - playersTotal } };
  });
  for (const kind of ['players', 'monsters']) {
    let covered = 0;
    const ranges = worlds.map((world) => world[kind]).sort((a, b) => a.from - b.from || a.to - b.to);
    for (const { from, to } of ranges) covered = from === covered && to >= from ? to : NaN;
    if (covered !== CONFIG[kind]) throw new Error('BASE_URLS has to name every world server of one world, each once');
  }
  return worlds;
}
`;
