import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isDeclared, kindOf, nameOn, readMetricsPage } from '../../src/probe/metrics-page.ts';

const page = (text: string, ...names: string[]) => readMetricsPage(text, new Set(names));
/** The one sample of `a`, with its labels. */
function sampleOf(line: string) {
  const { samples, unreadable } = page(`# TYPE a gauge\n${line}\n`, 'a', 'my.metric');
  expect(unreadable).toEqual([]);
  const [sample, ...more] = [...samples.values()].flat();
  expect(more).toEqual([]);
  return [sample?.value, Object.fromEntries(sample?.labels ?? [])] as const;
}

test.each<[string, number, Record<string, string>?]>([
  ['a 1', 1],
  ['  a  1  ', 1],
  ['\ta\t1\t', 1],
  ['a 1\r', 1],
  ['a{} 1', 1],
  ['a { } 1', 1],
  ['a{x="1"}1', 1, { x: '1' }],
  ['a {\tx =\t"1" , y= "2" , } 2', 2, { x: '1', y: '2' }],
  ['a{x="1",} 3', 3, { x: '1' }],
  ['a{x=""} 3', 3, { x: '' }],
  ['a{x="}",y=" 7 # {"} 3', 3, { x: '}', y: ' 7 # {' }],
  ['a{x="say \\"hi\\"",y="\\\\",z="1\\n2"} 3', 3, { x: 'say "hi"', y: '\\', z: '1\n2' }],
  ['a{x="C:\\dir"} 3', 3, { x: 'C:\\dir' }],
  ['a{x="ü 名"} 3', 3, { x: 'ü 名' }],
  ['{"my.metric"} 3', 3],
  ['{ "my.metric" , "http.code" = "500" } 3', 3, { 'http.code': '500' }],
  ['a{"http.code"="500",x="1"} 3', 3, { 'http.code': '500', x: '1' }],
  ['a 1 1700000000000', 1],
  ['a 1 -1', 1],
  ['a 1 \t 1700000000.123', 1],
  ['a 1 1.7e9', 1],
  ['a{x="1"} 5 # {trace_id="x"} 0.5 1234.5', 5, { x: '1' }],
  ['a 5 1700000000.5 # {trace_id="}\\"#",span="b"} 0.5', 5],
  ['a 5 # {} 1', 5],
  ['a +5', 5],
  ['a -5.5', -5.5],
  ['a .5', 0.5],
  ['a 5.', 5],
  ['a 1e3', 1000],
  ['a 1E-3', 0.001],
  ['a +Inf', Number.POSITIVE_INFINITY],
  ['a Inf', Number.POSITIVE_INFINITY],
  ['a -inf', Number.NEGATIVE_INFINITY],
  ['a infinity', Number.POSITIVE_INFINITY],
  ['a NaN', Number.NaN],
  ['a Nan', Number.NaN],
  ['a nan', Number.NaN],
])('%j is read', (line, value, labels = {}) => {
  expect(sampleOf(line)).toEqual([value, labels]);
});

test.each([
  ['a', 'it has no value'],
  ['a{x="1"}', 'it has no value'],
  ['a x', 'its value "x" is not a number'],
  ['a 0x10', 'its value "0x10" is not a number'],
  ['a 1,5', 'its value "1,5" is not a number'],
  ['a 1_000', 'its value "1_000" is not a number'],
  ['a 1 yesterday', '"yesterday" follows its value'],
  ['a 1 2 3', '"2 3" follows its value'],
  ['a-b 1', '"-" follows the name'],
  ['a{x=1} 1', 'the label x has no value in quotes'],
  ['a{x="1} 1', 'the label x has no value in quotes'],
  ['a{x} 1', 'the label x has no value'],
  ['a{"b"} 1', 'the label b has no value'],
  ['a{x="1" y="2"} 1', 'no comma follows the label x'],
  ['a{x="1",x="2"} 1', 'the label x appears twice'],
  ['a{,} 1', 'got ",", expected a label'],
  ['a{x="1" 1', 'no comma follows the label x'],
  ['a{', 'got nothing, expected a label'],
  ['{a x="1"} 1', 'the label a has no value'],
  ['{"a", 5} 1', 'got "5", expected a label'],
])('%j is reported as unreadable', (line, because) => {
  const { samples, unreadable } = page(`b 1\n${line}\n`, 'a');
  expect([...samples]).toEqual([]);
  expect(unreadable).toMatchObject([{ name: 'a', problem: `line 2: ${because}` }]);
  // A problem with a metric that no budget needs is not reported.
  expect(page(`b 1\n${line}\n`, 'b')).toMatchObject({ unreadable: [] });
});

test('a repeated sample counts once: the newer one, or an error when the values contradict each other', () => {
  const values = (text: string) =>
    page(text, 'a')
      .samples.get('a')
      ?.map(({ value }) => value);
  expect(values('a{x="1",y="2"} 3\na{y="2",x="1"} 3\n')).toEqual([3]);
  expect(values('a{le="1"} 3\na{le="1.0"} 3\na{le="2"} 3\n')).toEqual([3, 3]);
  expect(values('a NaN\na NaN\n')).toEqual([Number.NaN]);
  expect(values('a 3 100\na 5 300\na 4 200\n')).toEqual([5]);
  expect(page('a 3\na 4\n', 'a').unreadable).toMatchObject([
    { problem: 'line 2: a with these labels appears twice, with 3 and 4' },
  ]);
});

test('an OpenMetrics page needs its end marker, and a page without samples is valid', () => {
  const open = (text: string) => () => readMetricsPage(text, new Set(['a']), { isOpenMetrics: true });
  expect(open('a 1\n# EOF\n')).not.toThrow();
  expect(open('# EOF')).not.toThrow();
  expect(open('a 1\n')).toThrow('ends without "# EOF"');
  expect(() => page('a 1\n', 'a')).not.toThrow();
  expect(() => page('# HELP a b\n', 'a')).not.toThrow();
  expect(() => page('# just a comment\n', 'a')).toThrow('not Prometheus text');
  expect(page('\uFEFFa 1\r\n\r\n# EOF\r\n', 'a').samples.get('a')).toHaveLength(1);
});

/** Name, its kind, whether it is declared, and the name of its samples. */
const FAMILIES = `# TYPE hits counter
#HELP  early A comment before the type.
# HELP seen x
# TYPE	seen	Histogram
# UNIT size_bytes bytes
# TYPE size_bytes summary
# TYPE now gaugehistogram
# TYPE plain_total counter
# TYPE old counter
old 3
# TYPE build info
# TYPE any unknown
any_total 3
# TYPE "my.hits" counter
# TYPE queue gauge
hits_total{x="1"} 2
# EOF
`;
test.each<[string, ReturnType<typeof kindOf>, boolean, string?]>([
  ['hits_total', 'counter', true],
  ['hits', 'counter', true, 'hits_total'],
  ['hits_created', 'gauge', true],
  ['old', 'counter', true],
  ['old_total', 'counter', true, 'old'],
  ['plain_total', 'counter', true],
  ['early_total', null, true],
  ['early', null, true],
  ['seen', 'histogram', true],
  ['seen_bucket', 'counter', true],
  ['seen_count', 'counter', true],
  ['size_bytes', 'gauge', true],
  ['size_bytes_sum', 'counter', true],
  ['size_bytes_bucket', null, false],
  ['now', 'histogram', true],
  ['now_bucket', 'gauge', true],
  ['now_gcount', 'gauge', true],
  ['build_info', 'gauge', true],
  ['any_total', null, true],
  ['my.hits', 'counter', true],
  ['queue', 'gauge', true],
  ['queue_count', null, false],
  ['hit', null, false],
])('%s is %s, declared %s', (name, kind, declared, own = name) => {
  const read = page(FAMILIES, name, own);
  expect([kindOf(name, read), isDeclared(own, read), nameOn(read, name)]).toEqual([kind, declared, own]);
});

const recorded = (file: string): string =>
  readFileSync(new URL(`../fixtures/pages/${file}.txt`, import.meta.url), 'utf8');
/** Each value, with the labels that distinguish it. */
function valuesOn(file: string, name: string): Record<string, number> {
  const isOpenMetrics = !file.endsWith('-text');
  const { samples, unreadable } = readMetricsPage(recorded(file), new Set([name]), { isOpenMetrics });
  expect(unreadable).toEqual([]);
  return Object.fromEntries(
    (samples.get(name) ?? []).map(({ labels, value }) => [[...labels.values()].join(' '), value]),
  );
}

// What these clients observed when the pages were recorded: five values of 0, 0.3, 0.6, 0.9 and 1.2 seconds.
test.each(['prom-client', 'prometheus-client', 'prometheus-client-text'])(
  'the page of %s has the values that its client observed',
  (file) => {
    const code = file === 'prom-client' ? ' 200' : '';
    const one = file === 'prom-client' ? '1' : '1.0';
    expect(valuesOn(file, 'took_seconds_bucket')).toEqual({
      [`0.1${code}`]: 1,
      [`0.5${code}`]: 2,
      [`${one}${code}`]: 4,
      [`+Inf${code}`]: 5,
    });
    expect(Object.values(valuesOn(file, 'took_seconds_sum'))).toEqual([3]);
    expect(valuesOn(file, 'requests_total')).toEqual({ 200: file === 'prom-client' ? 5 : 4 });
    expect(valuesOn(file, 'queue')).toEqual({ '': Number.NaN });
  },
);

test('quoted names and escaped labels are read as the clients write them', () => {
  expect(valuesOn('prom-client', 'lbl')).toEqual({ 'a"b\\c\nd}': 1e-7 });
  expect(valuesOn('prometheus-client', 'my.metric_total')).toEqual({ x: 2 });
  expect(valuesOn('prometheus-client-text', 'my_metric_total')).toEqual({ x: 2 });
});
