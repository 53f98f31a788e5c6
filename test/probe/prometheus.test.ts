import { expect, test } from 'vitest';
import { bucketsOf, parsePrometheus } from '../../src/probe/prometheus.ts';

const TEXT = `# HELP batches what was flushed
# TYPE batches counter
batches{reason="size"} 3
batches{reason="time"} 40 1700000000000
up 1
size_bucket{le="1"} 2
size_bucket{le="10"} 5
size_bucket{le="+Inf"} 6
size_sum 77
no value here
`;

test('names, labels and values', () => {
  expect(parsePrometheus(TEXT)).toContainEqual({ name: 'batches', labels: 'reason="time"', value: 40 });
  expect(parsePrometheus(TEXT)).toContainEqual({ name: 'up', labels: '', value: 1 });
  expect(parsePrometheus(TEXT)).toHaveLength(7);
});

test('buckets stay cumulative, with +Inf last', () => {
  expect(bucketsOf(parsePrometheus(TEXT), 'size')).toEqual({
    bounds: [1, 10, Number.POSITIVE_INFINITY],
    cumulative: [2, 5, 6],
  });
});

test('garbage gives nothing', () => {
  expect(parsePrometheus('\0\0\n<html>\n')).toEqual([]);
});
