import { figureAt } from '../judge/ruling.ts';
import type { Facts } from './facts.ts';
import { row, table } from './markup.ts';
import { bytesText, NOTHING, numberText, quantity } from './quantity.ts';
import type { Report } from './report.ts';

type SystemFigure = NonNullable<Report['systemFigures']>[number];

/** The figures of sections that only this system has, by name; those without a value are left out. */
export const systemFacts = (report: Report): Facts =>
  Object.fromEntries(
    known(report).map(({ figure, values }) => [nameOf(figure), [values.join(', ')]] as const),
  );

/** The same as a table of a page, with what each of them is; none where the system has none. */
export function systemTable(report: Report): string[] {
  const rows = known(report).map(({ figure, values }) =>
    row([nameOf(figure), values.join(', '), figure.about]),
  );
  return rows.length === 0 ? [] : [table(['', 'Measured', 'What it is'], rows)];
}

const known = (report: Report) =>
  (report.systemFigures ?? []).flatMap((figure) => {
    const values = valuesOf(report, figure);
    return values.length === 0 ? [] : [{ figure, values }];
  });

function valuesOf(report: Report, { path, unit, stats }: SystemFigure): readonly string[] {
  const text = (stat: string | null): string => {
    const value = figureAt(report, [...path.split('.'), ...(stat === null ? [] : [stat])]);
    return typeof value === 'string' ? value : valueText(value, unit);
  };
  return (stats ?? [null])
    .map((stat) => [stat, text(stat)] as const)
    .filter(([, value]) => value !== NOTHING)
    .map(([stat, value]) => (stat === null ? value : `${stat} ${value}`));
}

/** Its name has the unit where that is a count of something. */
function valueText(value: number | null, unit: string): string {
  if (unit === 'bytes' || unit === 'bytes/s') return bytesText(value, unit === 'bytes/s');
  return ['%', 's', 'ms', 'us', 'x', 'cores'].includes(unit) || unit.includes('/')
    ? quantity(value, unit)
    : numberText(value);
}

/** `keysPerPlayer` of the section as `keys per player`; the unit at the end of a name is said by the value. */
const nameOf = ({ path }: SystemFigure): string =>
  (path.split('.').at(-1) ?? path)
    .replace(/(?:PerSecond|Percent|Seconds|Ms|Bytes)$/, '')
    .replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll(/\b(?:redis|ttl|cpu)\b/g, (word) => SPELLED[word] ?? word);

const SPELLED: Readonly<Record<string, string>> = { redis: 'Redis', ttl: 'TTL', cpu: 'CPU' };
