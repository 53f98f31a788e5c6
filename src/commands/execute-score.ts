import { interrupted } from '../errors.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { comparisonOf } from '../model/scores.ts';
import { measureScores, SCORE_PLAN, type ScorePlan } from '../score/measure-scores.ts';
import { openWatchdog } from '../supervision/watchdog.ts';
import { openFixedPaths, writeFixedPaths } from './publish.ts';
import { comparisonLines, scoreLines, scoreWarnings } from './score-lines.ts';
import { readScoresFile } from './scores-file.ts';
import { checkTemporaryFolder, newPassword } from './stack-opener.ts';

/** The options of `capbench score`, as given. */
export interface ScoreFlags {
  readonly json?: boolean;
  readonly out?: string;
  readonly compare?: string;
}

/**
 * Measures this machine, and prints its scores.
 * @throws CapbenchError (104) for a file that cannot be read or written, (105) when it is stopped
 */
export async function executeScore(
  host: Host,
  flags: ScoreFlags,
  plan: ScorePlan = SCORE_PLAN,
): Promise<void> {
  const { env, machine, version, stdout, stderr, redaction } = host;
  const { compare, json = false } = flags;
  const other = compare === undefined ? null : await readScoresFile(host, compare);
  await checkTemporaryFolder(host);
  const inputs = compare === undefined ? [] : [compare];
  const fixed = await openFixedPaths(host, flags, inputs, { out: 'scores.json' });
  const stop = new AbortController();
  const dispose = host.onSignal((signal) => {
    stderr.write(`${signal}: stopping\n`);
    stop.abort(interrupted('stopped before this machine was measured'));
  });
  const password = newPassword();
  redaction.add(password, "the database's password");
  stderr.write('Measuring this machine for about 45 s; leave it alone.\n');
  const watchdog = await openWatchdog(env);
  try {
    const scores = await measureScores({
      ...{ env, machine, version, password, watchdog, plan, signal: stop.signal },
    });
    const text = jsonText(scores);
    const [unwritten] = await writeFixedPaths(
      host,
      fixed,
      new Map([['scores.json', text]]),
      'name a file that you may write to',
    );
    const compared = other === null ? null : { to: compare, ...comparisonOf(scores, other) };
    if (json) {
      const printed = compared === null ? scores : { ...scores, compared };
      stdout.write(jsonText(printed));
    } else {
      const lines = [
        ...scoreLines(scores, stdout.columns),
        ...(other === null || compare === undefined
          ? []
          : comparisonLines(scores, other, compare, stdout.columns)),
      ];
      stdout.write(`${lines.join('\n')}\n`);
    }
    for (const warning of scoreWarnings(scores)) stderr.write(`warning: ${warning}\n`);
    if (unwritten !== undefined) throw unwritten;
  } finally {
    const warning = await watchdog.close();
    if (warning !== null) stderr.write(`warning: ${warning}\n`);
    dispose();
  }
}
