import type { Comparison } from '../compare/comparison.ts';
import type { Host } from '../host.ts';
import { jsonText } from '../json-document.ts';
import { comparedInFormat, comparedVerdict } from '../report/comparison-format.ts';
import { comparisonHtml } from '../report/comparison-html.ts';
import { comparisonMarkdown } from '../report/comparison-markdown.ts';
import { comparisonLine, comparisonSummary } from '../report/comparison-terminal.ts';
import type { VerdictFormat } from '../report/format.ts';
import type { FormatFlags } from './format.ts';
import { isColoured, type TellingFlags, writeArtefacts } from './publish.ts';

export const COMPARISON_PAGE = 'comparison.html';

/** The files of a comparison, by name. */
export const comparisonArtefacts = (comparison: Comparison): ReadonlyMap<string, string> =>
  new Map([
    ['comparison.json', jsonText(comparison)],
    [COMPARISON_PAGE, comparisonHtml(comparison)],
    ['comparison.md', comparisonMarkdown(comparison)],
  ]);

/** Writes comparison.json, .html and .md into a folder. @throws CapbenchError where that cannot be written to */
export const writeComparison = (host: Host, folder: string, comparison: Comparison): Promise<void> =>
  writeArtefacts(host, folder, comparisonArtefacts(comparison));

/** Prints a comparison: in a format for CI, as JSON, as the verdict only, or side by side. `page` is the comparison.html to name; empty: none. */
export function tellComparison(
  host: Host,
  comparison: Comparison,
  { color, json = false, quiet = false, format }: TellingFlags & FormatFlags<VerdictFormat>,
  page: string,
): void {
  const { stdout } = host;
  if (format !== undefined) {
    stdout.write(comparedInFormat(format, comparedVerdict(comparison)));
    return;
  }
  const colour = color && isColoured(host);
  const style = { colour, width: stdout.columns, full: false, page };
  if (json) stdout.write(jsonText(comparison));
  else
    stdout[colour ? 'paint' : 'write'](
      quiet ? comparisonLine(comparison, style) : comparisonSummary(comparison, style),
    );
}
