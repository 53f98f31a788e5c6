import type { Budget, MeasuredBudget } from './budget.ts';

/** Which samples of a Prometheus page a budget means: `http_requests_total{code="500"}`. */
export interface MetricSelector {
  /** As the budget writes it, and as series and figures are named. */
  readonly text: string;
  readonly name: string;
  /** Each has to be there with this value; what else a sample is labelled with does not matter. */
  readonly labels: ReadonlyMap<string, string>;
}

const ROOM = 'target.metrics.';
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/y;
const LONGEST = 300;
const MOST_LABELS = 20;

/** The labels of a sample or of a selector, from between the braces; null where they cannot be read. */
export function parseLabels(text: string): ReadonlyMap<string, string> | null {
  const labels = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const [whole, name = '', value = ''] = LABEL.exec(text) ?? [];
    if (whole === undefined || labels.has(name)) return null;
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
    at += whole.length;
    // A comma may stand after the last one, as Prometheus has it.
    if (at < text.length && text[at] !== ',') return null;
    at += 1;
  }
  return labels;
}

/** The selector in a budget's metric, `target.metrics.<selector>`; null where it is none. */
export function selectorOf(metric: string): MetricSelector | null {
  if (!metric.startsWith(ROOM) || metric.length > LONGEST) return null;
  const text = metric.slice(ROOM.length);
  const [whole, name = '', inside = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?$/.exec(text) ?? [];
  const labels = parseLabels(inside);
  if (whole === undefined || labels === null || labels.size > MOST_LABELS) return null;
  return { text, name, labels };
}

/** What of a target's pages is asked for: the selectors of the budgets, each with the statistics. */
export function selectorsOf(
  budgets: readonly Budget[],
): ReadonlyMap<string, { readonly selector: MetricSelector; readonly stats: ReadonlySet<string> }> {
  const found = new Map<string, { selector: MetricSelector; stats: Set<string> }>();
  const measured = budgets.filter((budget): budget is MeasuredBudget => budget.state === 'measured');
  for (const { metric, stat } of measured) {
    const selector = selectorOf(metric);
    if (selector === null || stat === null) continue;
    const entry = found.get(selector.text) ?? { selector, stats: new Set<string>() };
    entry.stats.add(stat);
    found.set(selector.text, entry);
  }
  return found;
}

/** Whether a sample has all labels that are asked for. */
export function selects({ labels }: MetricSelector, of: ReadonlyMap<string, string>): boolean {
  for (const [name, value] of labels) if (of.get(name) !== value) return false;
  return true;
}
