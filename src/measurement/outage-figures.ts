import type { FaultFigures, OutageFigures } from './figures.ts';
import type { FaultFacts, Measurements } from './measurements.ts';
import { percentOf, sumOf, valuesAt } from './readings.ts';

const SETTLED_BADLY = ['failed', 'timedOut', 'skipped'] as const;

/** All faults of each component together, by its name; `faults` are the figures of the run's, in the same order. */
export function outageFigures(
  m: Measurements,
  faults: readonly FaultFigures[],
): Readonly<Record<string, OutageFigures>> {
  const components = [...new Set(m.faults.map(({ of }) => of))];
  return Object.fromEntries(
    components.map((component) => [
      component,
      outageOf(
        m,
        m.faults.filter(({ of }) => of === component),
        faults.filter(({ of }) => of === component),
      ),
    ]),
  );
}

function outageOf(
  m: Measurements,
  facts: readonly FaultFacts[],
  figures: readonly FaultFigures[],
): OutageFigures {
  const each = Object.keys(m.operations).map((id) => [id, countsOf(m, id, facts)] as const);
  const sum = (of: keyof FaultFigures): number | null =>
    sumOf(figures.map((one) => (typeof one[of] === 'number' ? one[of] : null)));
  return {
    count: facts.length,
    notBack: facts.filter(({ to, forGood = false }) => to === null && !forGood).length,
    notRecovered: figures.filter(({ recoverySeconds }) => recoverySeconds === null).length,
    downSecondsMax: largest(figures.map(({ downSeconds }) => downSeconds)),
    recoverySecondsMax: largest(figures.map(({ recoverySeconds }) => recoverySeconds)),
    ...sharesOf(added(each.map(([, counts]) => counts))),
    operations: Object.fromEntries(each.map(([id, counts]) => [id, sharesOf(counts)])),
    disconnects: sum('disconnects'),
    lost: sum('lost'),
    lostInWindow: sum('lostInWindow'),
    phantom: sum('phantom'),
    duplicated: sum('duplicated'),
  };
}

/** Null where one is: the largest of the others would hide it. */
const largest = (values: readonly (number | null)[]): number | null =>
  values.reduce((most, one) => (most === null || one === null ? null : Math.max(most, one)));

/** What happened to an operation while the component was down. */
interface OutageCounts {
  readonly due: number | null;
  readonly ok: number | null;
  readonly rejected: number | null;
  readonly failed: number | null;
}

/** By when operations became due and when they were settled; growth is spread evenly over each second. */
function countsOf(m: Measurements, operation: string, facts: readonly FaultFacts[]): OutageCounts {
  const during = (name: string, absent: number | null = null): number | null => {
    const series = m.series[`load.${operation}.${name}`];
    if (series === undefined) return absent;
    return sumOf(
      facts.map(({ from, ended = from, to, forGood = false }) => {
        const end = forGood ? null : to;
        const last = series.points.at(-1)?.[0] ?? ended;
        const [before = null, after = null] = valuesAt(series, [ended, Math.min(end ?? last, last)]);
        return before === null || after === null ? null : Math.max(0, after - before);
      }),
    );
  };
  // The series of idle operations begins with the first one.
  const [scheduled, idle] = [during('scheduled'), during('idle', 0) ?? 0];
  return {
    due: scheduled === null ? null : Math.max(0, scheduled - idle),
    ok: during('ok'),
    rejected: during('rejected'),
    failed: sumOf(SETTLED_BADLY.map((name) => during(name))),
  };
}

const added = (all: readonly OutageCounts[]): OutageCounts => ({
  due: sumOf(all.map(({ due }) => due)),
  ok: sumOf(all.map(({ ok }) => ok)),
  rejected: sumOf(all.map(({ rejected }) => rejected)),
  failed: sumOf(all.map(({ failed }) => failed)),
});

/** At most 100: what was due before may be settled meanwhile. */
const share = (part: number | null, due: number | null): number | null => {
  const percent = percentOf(part, due);
  return percent === null ? null : Math.min(100, percent);
};

const sharesOf = ({ due, ok, rejected, failed }: OutageCounts) => ({
  okPercent: share(ok, due),
  answeredPercent: share(sumOf([ok, rejected]), due),
  failedPercent: share(failed, due),
});
