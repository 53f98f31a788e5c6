/** What stands around the players and lanes, as JavaScript: setup and summary. */
export const FRAME_SOURCE = String.raw`
// --- Before and after ---------------------------------------------------------------------------------------------------

// Who owns what, from what the servers say of themselves; and GO, one instant for everybody, late enough to be connected.
export function setup() {
  const worlds = BASE_URLS.map((url) => {
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
  // A threshold on what was never counted would not be looked at.
  for (const counter of intents.declared().concat(monsterCommands.declared())) counter.add(0);
  for (const counter of [connected, connectFailed, disconnects, strayAnswers]) counter.add(0);
  const connectFrom = Date.now() + 200;
  const go = connectFrom + CONNECT_SECONDS * 1000;
  goAt.add(go);
  return { worlds, connectFrom, go, run: 'k6-' + go.toString(36) + '-' + Math.random().toString(36).slice(2, 8) };
}

export function handleSummary(data) {
  const { scenario, scenarioHash, seed, players, monsters, commandsPerPost } = CONFIG;
  const { rampSeconds, warmUpSeconds, durationSeconds } = CONFIG;
  const origin = {
    schemaVersion: 1, scenario, scenarioHash, seed, players, monsters, commandsPerPost,
    rampSeconds, warmUpSeconds, durationSeconds,
  };
  const path = __ENV.CAPBENCH_SUMMARY || SUMMARY_FILE;
  const summary = JSON.stringify(Object.assign({ [SUMMARY_KEY]: origin }, data));
  const text = summaryText(data.metrics, path);
  // On a cluster, files end with their pod: the summary is then a line of the log.
  return path === 'stdout' ? { stdout: text + summary + '\n' } : { [path]: summary, stdout: text };
}

function summaryText(metrics, path) {
  const lines = ['', CONFIG.scenario + ', seed ' + CONFIG.seed + ': what was due in the measure phase'];
  for (const [title, names] of [['intents', NAMES.intent], ['monster commands', NAMES.monsterCommand]]) {
    const count = (name) => (metrics[name] ? metrics[name].values.count : 0);
    const counts = Object.keys(names.counters).map((kind) => kind + ' ' + count(names.counters[kind]));
    lines.push('', '  ' + title + ': ' + counts.join(', '));
    for (const kind of ['due', 'service', 'lag']) {
      const trend = metrics[names[kind]];
      if (!trend || count(names.counters.scheduled) === 0) continue;
      const shown = ['p(50)', 'p(95)', 'p(99)', 'max'].map((stat) => stat + ' ' + trend.values[stat]);
      lines.push('    ' + kind + ', ms: ' + shown.join('  '));
    }
  }
  lines.push('');
  for (const [name, { thresholds }] of Object.entries(metrics)) {
    for (const [limit, { ok }] of Object.entries(thresholds || {})) {
      lines.push('  ' + (ok ? 'kept    ' : 'BREACHED') + '  ' + name + ': ' + limit);
    }
  }
  return lines.concat('', '  ' + path, '').join('\n') + '\n';
}
`;
