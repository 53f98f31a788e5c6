import { byReason, byState, limitText, NO_REASON, observedText, plain } from './format.ts';
import type { Report, ReportRuling } from './report.ts';
import { cut, type Palette, wrap } from './terminal-text.ts';

interface Row {
  readonly ruling: ReportRuling;
  readonly id: string;
  readonly limit: string;
  readonly observed: string;
}

/** The table of budgets: breached, met, what does not decide, and untestable ones by what is missing. */
export function budgetLines({ rulings }: Report, paint: Palette, width: number): string[] {
  const [breached = [], met = [], contradicted = [], unmeasured = [], untestable = []] = byState(rulings);
  const shown = [...breached, ...met, ...together(contradicted), ...together(unmeasured)];
  const room = (share: number): number => Math.floor(width * share);
  const rows = shown.map((ruling) => ({
    ruling,
    id: cut(plain(ruling.id), room(0.2)),
    limit: cut(plain(limitText(ruling)), room(0.28)),
    observed: cut(plain(observedText(ruling)), room(0.21)),
  }));
  const widest = (of: (row: Row) => string): number =>
    rows.reduce((most, row) => Math.max(most, of(row).length), 0);
  const widths = [
    widest((row) => row.id),
    widest((row) => row.limit),
    widest((row) => row.observed),
  ] as const;
  const left = width - 4 - 2 - 6 - widths[0] - widths[1] - widths[2];
  const titleWidth = Math.max(12, Math.min(left, 56));
  const lines = rows.flatMap(({ ruling, id, limit, observed }, i) => {
    const line = [
      id.padEnd(widths[0]),
      titleOf(ruling, titleWidth).padEnd(titleWidth),
      limit.padEnd(widths[1]),
      observed.padStart(widths[2]),
    ].join('  ');
    const said = isDecided(ruling) ? ruling.reason : reasonAfter(ruling, rows[i + 1]?.ruling);
    const reason = said === null ? [] : wrap(plain(said), width - 6);
    return [`${mark(ruling, paint)} ${line}`, ...reason.map((text) => `  ${paint.dim(text)}`)];
  });
  const missing = byReason(untestable).map(
    ([reason, count]) => `${paint.dim('·')} ${cut(`${count} untestable: ${plain(reason)}`, width - 6)}`,
  );
  return [...lines, ...(lines.length > 0 && missing.length > 0 ? [''] : []), ...missing];
}

const isDecided = ({ state }: ReportRuling): boolean => state === 'met' || state === 'breached';

/** Those with the same reason stand beside one another, so that it is said once, below the last of them. */
function together(rulings: readonly ReportRuling[]): readonly ReportRuling[] {
  return byReason(rulings).flatMap(([reason]) =>
    rulings.filter((ruling) => (ruling.reason ?? NO_REASON) === reason),
  );
}

function reasonAfter(ruling: ReportRuling, next: ReportRuling | undefined): string | null {
  return next?.state === ruling.state && next.reason === ruling.reason ? null : ruling.reason;
}

/** With its statistic; a remark in brackets goes first when there is no room. */
function titleOf({ title, stat }: ReportRuling, width: number): string {
  const named = stat === null || stat === 'mean' || title.includes(stat) ? '' : `, ${stat}`;
  const whole = plain(title) + named;
  return cut(whole.length <= width ? whole : plain(title).replace(/ \(.*\)$/, '') + named, width);
}

function mark({ state }: ReportRuling, paint: Palette): string {
  if (state === 'met') return paint.green('✓');
  if (state === 'breached') return paint.red('✗');
  return paint.yellow(state === 'contradicted' ? '≠' : '–');
}
