import type { Comparison } from '../compare/comparison.ts';
import type { Duet, DuetAttempt } from '../compare/duet.ts';
import { isMeasured, pairsOf } from '../compare/next-trial.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { counted, grouped } from '../units.ts';

/** A word for the verdict of a duet, and the exit code of the command. */
export interface DuetVerdict {
  readonly word: 'pass' | 'regression' | 'no conclusion' | 'interrupted' | 'failed';
  readonly exitCode: ExitCode;
}

const WORDS = { pass: 'pass', regression: 'regression', inconclusive: 'no conclusion' } as const;

/** @param comparison of its pairs; null where there is none */
export function duetVerdict(
  { attempts, result }: Pick<Duet, 'attempts' | 'result'>,
  comparison: Pick<Comparison, 'outcome' | 'exitCode'> | null,
): DuetVerdict {
  if (result === null) return { word: 'interrupted', exitCode: EXIT.interrupted };
  if (result.stopped === 'failed') {
    const isLost = attempts.some(({ exitCode }) => exitCode === EXIT.dataLost);
    const isDown = attempts.some(({ exitCode }) => exitCode === EXIT.stackFailed);
    return { word: 'failed', exitCode: isLost && !isDown ? EXIT.dataLost : EXIT.stackFailed };
  }
  if (comparison === null) return { word: 'no conclusion', exitCode: EXIT.invalid };
  return { word: WORDS[comparison.outcome], exitCode: comparison.exitCode };
}

/** `12 pairs in 4.1 min, 2 attempts without a conclusion` */
export function duetSize(duet: Duet): string {
  const seconds = duet.attempts.reduce((sum, { tookSeconds }) => sum + tookSeconds, 0);
  const without = duet.attempts.filter((one) => !isMeasured(one)).length;
  return [
    `${counted(pairsOf(duet).length, 'pair')} in ${grouped(seconds / 60, 1)} min`,
    ...(without === 0 ? [] : [`${counted(without, 'attempt')} without a conclusion`]),
  ].join(', ');
}

/** One sentence: what the duet has shown, and why it ended. */
export function duetHeadline(duet: Duet, comparison: Pick<Comparison, 'headline'> | null): string {
  const { result } = duet;
  const ended = result === null ? 'interrupted' : result.because;
  // So far, which is not what was asked.
  if (comparison === null || result?.stopped === 'failed') return `${ended}; ${duetSize(duet)}`;
  return `${result === null ? 'so far, ' : ''}${comparison.headline}; ${duetSize(duet)}: ${ended}`;
}

/** What a reader should know of how it was made, by name. */
export function duetFacts(duet: Duet): readonly (readonly [name: string, text: string])[] {
  const { base, head, seconds, fullSeconds, seed, host, gate } = duet;
  const version = ({ name, command }: Duet['base']): string =>
    name === command ? name : `${name}: ${command}`;
  const breached = (of: DuetAttempt['version']): number =>
    duet.attempts.filter(({ version: one, exitCode }) => one === of && exitCode === EXIT.breached).length;
  return [
    ['base', version(base)],
    ['head', version(head)],
    [
      'trials',
      `${duetSize(duet)}, in the order base, head, head, base; measure phases of ${seconds} s${seconds === fullSeconds ? '' : ` instead of ${fullSeconds} s`}`,
    ],
    ['ended', duet.result?.because ?? 'interrupted'],
    [
      'gate',
      `${grouped(gate.thresholdPercent, 1)}% with ${grouped(gate.confidencePercent, 2)}% confidence of ${gate.metrics.join(', ')}`,
    ],
    ...(breached('base') + breached('head') === 0
      ? []
      : [
          [
            'budgets',
            `breached in ${counted(breached('base'), 'trial')} of base and ${breached('head')} of head, which does not decide here`,
          ] as const,
        ]),
    ['measured on', `${host.cpuModel}, ${counted(host.cpus, 'core')}`],
    ['seed', `${seed}, another one in each pair`],
  ];
}

/** The gated metric that tells the versions apart, in words: what a line of a trial shows. */
export function shownMetric(
  metrics: Readonly<Record<string, number>>,
  { metrics: gated }: Duet['gate'],
): readonly [name: string, value: number] | null {
  const found = gated.flatMap((selector) =>
    Object.entries(metrics).filter(([name]) => name === selector || name.startsWith(`${selector}.`)),
  );
  return found[0] ?? null;
}
