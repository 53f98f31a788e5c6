import { parseLabels } from '../scenario/metric-selector.ts';
import { firstWords } from './first-words.ts';
import { parsePrometheus } from './prometheus.ts';

/** One sample of a page, of a name that is asked for. */
export interface PageSample {
  /** As they stand: the same every second. */
  readonly key: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** What a page says of the names that are asked for. */
export interface MetricsPage {
  readonly samples: ReadonlyMap<string, readonly PageSample[]>;
  /** `# TYPE`: name -> counter, gauge, histogram, summary, untyped. */
  readonly types: ReadonlyMap<string, string>;
}

/** Of what is asked for. */
const MOST_SAMPLES = 5_000;
const SAMPLE = /^[a-zA-Z_:][\w:]*(?:\{.*\})?[ \t]+(?:[+-]?(?:Inf|\d)|\.\d|NaN)/;

/**
 * Reads the Prometheus text format 0.0.4, of which only the names are kept that are asked for.
 * @throws an Error for what is no such text, and for more samples than anybody can mean
 */
export function readMetricsPage(text: string, names: ReadonlySet<string>): MetricsPage {
  const samples = new Map<string, PageSample[]>();
  const types = new Map<string, string>();
  let known = 0;
  let kept = 0;
  for (let from = 0; from < text.length; ) {
    const at = text.indexOf('\n', from);
    const end = at < 0 ? text.length : at;
    const line = text.slice(from, end).trimEnd();
    from = end + 1;
    if (line === '') continue;
    if (line.startsWith('#')) {
      const [, name, type] = /^#\s+TYPE\s+(\S+)\s+(\S+)$/.exec(line) ?? [];
      if (name !== undefined && type !== undefined) types.set(name, type);
      continue;
    }
    if (!SAMPLE.test(line)) continue;
    known += 1;
    const name = line.slice(0, line.search(/[{ \t]/));
    if (!names.has(name)) continue;
    const [metric] = parsePrometheus(line.replaceAll('\t', ' '));
    const labels = metric === undefined ? null : parseLabels(metric.labels);
    if (metric === undefined || labels === null || !Number.isFinite(metric.value)) continue;
    kept += 1;
    if (kept > MOST_SAMPLES) {
      throw new Error(`more than ${MOST_SAMPLES} samples are asked for: choose by label`);
    }
    const list = samples.get(name) ?? [];
    list.push({ key: metric.labels, labels, value: metric.value });
    samples.set(name, list);
  }
  // One that nothing was counted on yet has the names alone.
  if (known === 0 && types.size === 0) {
    throw new Error(`the answer is no Prometheus text: it begins with ${firstWords(text)}`);
  }
  return { samples, types };
}

/** What the samples of a name are, as far as the page says; a histogram itself has none of its own name. */
export function kindOf(name: string, { types }: MetricsPage): 'counter' | 'gauge' | 'histogram' | null {
  const own = types.get(name) ?? types.get(name.replace(/_total$/, ''));
  if (own === 'counter' || own === 'gauge' || own === 'histogram') return own;
  if (own === 'summary') return 'gauge';
  const part = /^(.+)_(?:bucket|count|sum)$/.exec(name)?.[1];
  const whole = part === undefined ? undefined : types.get(part);
  return whole === 'histogram' || whole === 'summary' ? 'counter' : null;
}
