import type { Measurements } from '../measurement/measurements.ts';
import { plain } from './plain-text.ts';
import { type Metric, seriesMetrics, verdictMetrics } from './prometheus-metrics.ts';
import type { Report } from './report.ts';

/** What a series of Prometheus' is named by. */
export interface Source {
  readonly job: string;
  readonly instance: string;
}

/** Samples of one request; a label takes up as much as several of them. */
const MOST_SAMPLES = 20_000;

/**
 * The series of a run as requests of Prometheus' remote write 1.0 (protobuf, snappy), in the order in which they have to
 * arrive. What has a value each second ends with a stale marker, so that a chart ends where the run does.
 */
export function writeRequests(
  m: Measurements,
  report: Report,
  source: Source,
): readonly Uint8Array<ArrayBuffer>[] {
  const go = Date.parse(m.startedAt) + 1e3 * (m.phases.go ?? 0);
  const metrics = [...seriesMetrics(m, report), ...verdictMetrics(m, report)];
  const requests: Uint8Array<ArrayBuffer>[] = [];
  let batch: Bytes = [];
  let samples = 0;
  const flush = (): void => {
    if (samples > 0) requests.push(snappyLiteral(Uint8Array.from(batch)));
    [batch, samples] = [[], 0];
  };
  for (const metric of metrics) {
    const points = samplesOf(metric, go);
    for (let from = 0; from < points.length; from += MOST_SAMPLES) {
      const part = points.slice(from, from + MOST_SAMPLES);
      if (samples + part.length > MOST_SAMPLES) flush();
      for (const byte of message(1, timeSeries(metric, source, part))) batch.push(byte);
      samples += part.length;
    }
  }
  flush();
  return requests;
}

/** A sample: milliseconds since 1970, and a value; null is a stale marker. */
type Sample = readonly [time: number, value: number | null];

/** One for each millisecond at most, ascending. */
function samplesOf({ points }: Metric, go: number): readonly Sample[] {
  const samples: Sample[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const [at, value] of points) {
    const time = Math.round(go + 1e3 * at);
    if (time <= before) continue;
    samples.push([time, value]);
    before = time;
  }
  // What is known only at the end is to be seen after it.
  if (samples.length > 1) samples.push([before + 1e3, null]);
  return samples;
}

type Bytes = number[];

/** Labels are sorted by name, as the protocol requires; one without a value is none. */
function timeSeries({ name, labels, suffix }: Metric, source: Source, samples: readonly Sample[]): Bytes {
  const all = { ...labels, ...source, __name__: suffix === undefined ? name : `${name}_${suffix}` };
  const sorted = Object.entries(all)
    .filter(([, value]) => value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...sorted.flatMap(([label, value]) => message(1, [...text(1, label), ...text(2, plain(value))])),
    ...samples.flatMap((sample) => message(2, sampleBytes(sample))),
  ];
}

const [VARINT, FIXED64, LENGTH] = [0, 1, 2];
const key = (field: number, wire: number): number => (field << 3) | wire;

const message = (field: number, content: Bytes): Bytes => [
  key(field, LENGTH),
  ...varint(content.length),
  ...content,
];

const text = (field: number, value: string): Bytes => message(field, [...new TextEncoder().encode(value)]);

/** The one NaN that Prometheus takes for the end of a series. */
const STALE = 0x7ff0000000000002n;

function sampleBytes([time, value]: Sample): Bytes {
  const view = new DataView(new ArrayBuffer(8));
  if (value === null) view.setBigUint64(0, STALE, true);
  else view.setFloat64(0, value, true);
  return [key(1, FIXED64), ...new Uint8Array(view.buffer), key(2, VARINT), ...varint(time)];
}

/** Of a whole number from 0 to 2^53. */
function varint(value: number): Bytes {
  const bytes: Bytes = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

/** The tag of a literal whose length follows in two bytes; and the longest such literal. */
const [LITERAL, LONGEST_LITERAL] = [61 << 2, 2 ** 16];

/** Snappy's block format without any compression: the length of all, and literals. */
function snappyLiteral(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = varint(content.length);
  const count = Math.ceil(content.length / LONGEST_LITERAL);
  const block = new Uint8Array(head.length + 3 * count + content.length);
  block.set(head);
  let at = head.length;
  for (let from = 0; from < content.length; from += LONGEST_LITERAL) {
    const part = content.subarray(from, from + LONGEST_LITERAL);
    const last = part.length - 1;
    block.set([LITERAL, last & 0xff, last >> 8], at);
    block.set(part, at + 3);
    at += 3 + part.length;
  }
  return block;
}
