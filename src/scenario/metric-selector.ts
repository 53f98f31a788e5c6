import { readHead, readNumber } from './sample-head.ts';

/** Selects samples of a Prometheus page, such as `http_requests_total{code="500"}`. */
export interface MetricSelector {
  /** As written in the budget; series and figures have this name. */
  readonly text: string;
  readonly name: string;
  /** Labels that a sample must have; it may have others. */
  readonly labels: ReadonlyMap<string, string>;
}

const ROOM = 'target.metrics.';
const LONGEST = 300;
const MOST_LABELS = 20;

/** The selector in a budget's metric, `target.metrics.<selector>`; null for other metrics. */
export function selectorOf(metric: string): MetricSelector | null {
  if (!metric.startsWith(ROOM) || metric.length > LONGEST) return null;
  const text = metric.slice(ROOM.length);
  const { name, labels, end, problem } = readHead(text);
  if (problem !== null || name === null || labels === null || end < text.length) return null;
  return labels.size > MOST_LABELS ? null : { text, name, labels };
}

/** The selector of an element of `watch:`, with `target.metrics.` before it or without; null for anything else. */
export const watchedSelector = (text: string): MetricSelector | null =>
  selectorOf(text.startsWith(ROOM) ? text : `${ROOM}${text}`);

/** Labels with numeric values, which clients write differently: `le="1"`, `le="1.0"`, `le="1e0"`. */
const NUMBERS = new Set(['le', 'quantile']);

/** The value of a label in a normal form. */
export const normalizedLabel = (name: string, value: string): string =>
  NUMBERS.has(name) ? String(readNumber(value) ?? value) : value;

/** Whether a sample has all labels of the selector. */
export function selects({ labels }: MetricSelector, of: ReadonlyMap<string, string>): boolean {
  for (const [name, value] of labels) {
    const own = of.get(name);
    if (own === undefined || normalizedLabel(name, own) !== normalizedLabel(name, value)) return false;
  }
  return true;
}
