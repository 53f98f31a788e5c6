import { columnsOf } from '../../columns.ts';
import { errorAt, format, isRight, type Line } from './line.ts';
import { PERCENTS, type Percent } from './percentiles.ts';

/** `5.00`, or `0.00..2.00` where the truth is a range. */
function truthAt({ truth, atMost }: Line, percent: Percent): string {
  const [from, to] = [format(truth[percent]), format(atMost[percent])];
  return from === to ? from : `${from}..${to}`;
}

/** `107 (+7)`, or without the error where it is right. */
function saidAt(line: Line, percent: Percent): string {
  const error = errorAt(line, percent);
  const reported = format(line.reported[percent]);
  if (error === null || isRight(line, percent)) return reported;
  return `${reported} (${error < 0 ? '-' : '+'}${format(Math.abs(error))})`;
}

const all = (figure: (percent: Percent) => string): string => PERCENTS.map(figure).join(' / ');

const HEAD = [
  ...['', 'wire', 'requests/s', ...PERCENTS.map((percent) => `p${percent}`)],
  ...['the server saw', 'late'],
];

/** For a terminal: a row with the truth for each model, and under it a row for each tool. */
export function textOf(lines: readonly Line[]): string {
  const rows = [HEAD];
  for (const [i, line] of lines.entries()) {
    if (line.model !== lines[i - 1]?.model) {
      rows.push([
        `${line.model}: true`,
        '',
        '',
        ...PERCENTS.map((percent) => truthAt(line, percent)),
        '',
        '',
      ]);
    }
    rows.push([
      ...[line.tool, line.wire, line.perSecond.toFixed(0)],
      ...PERCENTS.map((percent) => saidAt(line, percent)),
      ...[all((percent) => format(line.seen[percent])), format(line.lateP99)],
    ]);
  }
  return columnsOf(rows, (column) => column < 2);
}

/**
 * For the README: a row for each tool, a column for each model, p50 / p90 / p95 / p99 in each cell; in bold what is
 * wrong. On top the truth, and how the server itself did while we were measured.
 */
export function markdownOf(lines: readonly Line[]): string {
  const models = [...new Set(lines.map(({ model }) => model))];
  const row = (name: string, wire: string, cell: (model: string) => string): string[] => [
    ...[name, wire],
    ...models.map(cell),
  ];
  const ours = (model: string): readonly Line[] => lines.filter((line) => line.model === model && line.ours);
  const first = (model: string): Line => lines.find((line) => line.model === model)!;
  const late = (model: string): string => format(Math.max(...ours(model).map(({ lateP99 }) => lateP99)));
  const rows = [
    row('true', '', (model) => all((percent) => truthAt(first(model), percent))),
    ...(ours(models[0] ?? '').length === 0 ? [] : [row('late: the server, p99', '', late)]),
  ];
  for (const { tool, wire } of lines.filter(({ model }) => model === models[0])) {
    rows.push(
      row(tool, wire, (model) => {
        const line = lines.find((one) => one.model === model && one.tool === tool && one.wire === wire);
        if (line === undefined) return '';
        return all((percent) => {
          const reported = format(line.reported[percent]);
          return reported === '-' || isRight(line, percent) ? reported : `**${reported}**`;
        });
      }),
    );
  }
  return [['', 'wire', ...models], ['---', '---', ...models.map(() => '---:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
