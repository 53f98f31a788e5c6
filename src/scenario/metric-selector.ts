import { readHead, readNumber } from './sample-head.ts';

/** Which samples of a Prometheus page a budget means: `http_requests_total{code="500"}`. */
export interface MetricSelector {
  /** As the budget writes it, and as series and figures are named. */
  readonly text: string;
  readonly name: string;
  /** Each has to be there with this value; what else a sample is labelled with does not matter. */
  readonly labels: ReadonlyMap<string, string>;
}

const ROOM = 'target.metrics.';
const LONGEST = 300;
const MOST_LABELS = 20;

/** The selector in a budget's metric, `target.metrics.<selector>`; null where it is none. */
export function selectorOf(metric: string): MetricSelector | null {
  if (!metric.startsWith(ROOM) || metric.length > LONGEST) return null;
  const text = metric.slice(ROOM.length);
  const { name, labels, end, problem } = readHead(text);
  if (problem !== null || name === null || labels === null || end < text.length) return null;
  return labels.size > MOST_LABELS ? null : { text, name, labels };
}

/** Labels that are numbers, and are spelt as their client likes it: `le="1"`, `le="1.0"`, `le="1e0"`. */
const NUMBERS = new Set(['le', 'quantile']);

/** What a label says, however it is spelt. */
export const labelMeaning = (name: string, value: string): string =>
  NUMBERS.has(name) ? String(readNumber(value) ?? value) : value;

/** Whether a sample has all labels that are asked for. */
export function selects({ labels }: MetricSelector, of: ReadonlyMap<string, string>): boolean {
  for (const [name, value] of labels) {
    const own = of.get(name);
    if (own === undefined || labelMeaning(name, own) !== labelMeaning(name, value)) return false;
  }
  return true;
}
