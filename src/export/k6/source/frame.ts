/** What stands around those who act, as JavaScript: setup and summary. */
export const FRAME_SOURCE = String.raw`
// --- Before and after ---------------------------------------------------------------------------------------------------

// Why k6 would keep no summary that can be judged; null where it will. A script sees k6's environment and options, not its
// flags: what --new-machine-readable-summary does, handleSummary finds out; after --summary-mode=disabled nobody calls it.
function whyNoSummary() {
  if (['1', 't', 'true'].includes(String(__ENV.K6_NEW_MACHINE_READABLE_SUMMARY).toLowerCase())) return OTHER_FORM;
  if (String(__ENV.K6_SUMMARY_MODE).toLowerCase() === 'disabled') {
    return 'K6_SUMMARY_MODE=disabled: k6 would write no summary, and one of an earlier run would stay; unset it';
  }
  return whyNoStatistics(exec.test.options.summaryTrendStats);
}
const OTHER_FORM =
  "k6's new machine-readable summary lacks percentiles and counts that capbench reads: " +
  'unset K6_NEW_MACHINE_READABLE_SUMMARY, leave out --new-machine-readable-summary';
function whyNoStatistics(kept) {
  const missing = STATISTICS.filter((statistic) => !(kept || []).includes(statistic));
  if (missing.length === 0) return null;
  return 'the summary would lack ' + missing.join(', ') + ' of every trend, which capbench reads: ' +
    'unset K6_SUMMARY_TREND_STATS, leave out --summary-trend-stats';
}

// Who owns what; and GO, one instant for everybody, late enough to be connected.
export function setup() {
  const why = whyNoSummary();
  if (why !== null) throw new Error(why);
  const worlds = worldsOf(BASE_URLS);
  // A threshold on what was never counted would not be looked at.
  for (const { declared } of Object.values(OPERATIONS)) for (const counter of declared()) counter.add(0);
  for (const counter of [connected, connectFailed, disconnects, strayAnswers]) counter.add(0);
  const connectFrom = Date.now() + 200;
  const go = connectFrom + CONNECT_SECONDS * 1000;
  goAt.add(go);
  return { worlds, connectFrom, go, run: 'k6-' + go.toString(36) + '-' + Math.random().toString(36).slice(2, 8) };
}

// Called however the run ended. What an earlier run left under this name is overwritten, also where there is nothing to say
// but why; "process" tells two summaries apart, and "run" those of two runs.
export function handleSummary(data) {
  const { scenario, scenarioHash } = CONFIG;
  const load = {};
  for (const key of ORIGIN) load[key] = CONFIG[key];
  const origin = Object.assign({ schemaVersion: 1, scenario, scenarioHash }, load, {
    run: __ENV.CAPBENCH_RUN || null,
    process: 'k6-' + Date.now().toString(36) + '-' + Math.random().toString(36).slice(2, 10),
    segment: exec.test.options.executionSegment || '0:1',
  });
  const path = __ENV.CAPBENCH_SUMMARY || SUMMARY_FILE;
  const failed = whyNoFigures(data);
  const text = failed === null ? summaryText(data.metrics, path) : '\n' + scenario + ': no figures: ' + failed + '\n\n';
  const summary = failed === null
    ? JSON.stringify(Object.assign({ [SUMMARY_KEY]: origin }, data))
    : JSON.stringify({ [SUMMARY_KEY]: Object.assign(origin, { failed }), metrics: {} });
  // On a cluster, files end with their pod: the summary is then a line of the log.
  return path === 'stdout' ? { stdout: text + summary + '\n' } : { [path]: summary, stdout: text };
}

function whyNoFigures({ metrics, options: told }) {
  const why = whyNoSummary();
  if (why !== null) return why;
  if (!metrics || !told) return OTHER_FORM;
  if (!metrics[NAMES.go]) return 'the run ended before its load began: see what k6 said';
  return whyNoStatistics(told.summaryTrendStats);
}

function summaryText(metrics, path) {
  const lines = ['', CONFIG.scenario + ', seed ' + CONFIG.seed + ': what was due in the measure phase'];
  for (const [id, title] of Object.entries(LABELS)) {
    const names = NAMES.operations[id];
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
