import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  configMap,
  type DeploymentOptions,
  deploymentOf,
  guide,
  testRun,
} from '../../src/export/k8s/deployment.ts';
import { fluxK6 } from '../../src/systems/flux/k6/system.ts';
import { workloadWith } from '../load/a-workload.ts';

const schemaFile = join(import.meta.dirname, '..', '..', 'fixtures', 'schema', 'k8s.schema.json');
const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
const faultsOf = (document: unknown) => (validate(document) ? [] : (validate.errors ?? []));

const options: DeploymentOptions = {
  namespace: 'load',
  parallelism: 3,
  targets: ['http://world-1:3001', 'http://world-2:3001/2'],
  prometheus: 'http://prometheus:9090/api/v1/write',
};
const workload = workloadWith({ players: 100, intentRate: 1, monsters: 60, postRate: 20 });
const script = `// a script\n\nconst text = 'ä "quoted" \\\\ \${x}';\n  export default () => {};\n${'x'.repeat(300)}\n`;

test('the manifests are valid for Kubernetes and the k6-operator, and contain the script unchanged', () => {
  const deployment = deploymentOf('small', fluxK6, workload, options);
  const map = parse(configMap(deployment, script));
  const run = parse(testRun(deployment));
  expect(faultsOf(map)).toEqual([]);
  expect(faultsOf(run)).toEqual([]);
  expect(map.data['script.js']).toBe(script);
  expect(run.spec.script.configMap).toEqual({ name: map.metadata.name, file: 'script.js' });
  expect([map.metadata.namespace, run.metadata.namespace]).toEqual(['load', 'load']);
  expect(run.spec.parallelism).toBe(3);
  expect(run.spec.arguments).toBe(
    '--out experimental-prometheus-rw --tag testid=capbench-small --env BASE_URLS=http://world-1:3001,http://world-2:3001/2 --env CAPBENCH_SUMMARY=stdout --env CAPBENCH_THRESHOLDS=none',
  );
  expect(run.spec.runner.env).toContainEqual({
    name: 'K6_PROMETHEUS_RW_SERVER_URL',
    value: options.prometheus,
  });
});

test('the schema refuses what the operator would refuse', () => {
  const run = parse(testRun(deploymentOf('small', fluxK6, workload, options)));
  expect(faultsOf({ ...run, kind: 'K6' })).not.toEqual([]);
  expect(faultsOf({ ...run, spec: { ...run.spec, parallelism: '3' } })).not.toEqual([]);
  expect(faultsOf({ ...run, spec: { ...run.spec, segments: 3 } })).not.toEqual([]);
  expect(faultsOf({ ...run, metadata: { name: 'Small' } })).not.toEqual([]);
});

test('a single runner keeps its thresholds, several have none', () => {
  const alone = parse(testRun(deploymentOf('small', fluxK6, workload, { ...options, parallelism: 1 })));
  expect(alone.spec.arguments).not.toContain('CAPBENCH_THRESHOLDS');
});

test('there are as many runners as the load needs, and no more than blocks of players and lanes', () => {
  const runners = (given: Parameters<typeof workloadWith>[0], parallelism: number | null = null): number =>
    deploymentOf('x', fluxK6, workloadWith(given), { ...options, parallelism }).parallelism;
  expect(runners({ players: 100, intentRate: 1, postRate: 0 })).toBe(1);
  expect(runners({ players: 20_000, intentRate: 1, postRate: 0 })).toBe(5);
  expect(runners({ players: 2000, intentRate: 10, postRate: 0 })).toBe(5);
  expect(runners({ players: 50_000, intentRate: 1, monsters: 60, postRate: 10 })).toBe(8);
  expect(runners({ players: 100, intentRate: 1, postRate: 0 }, 34)).toBe(34);
  const tooMany = [
    { players: 100, postRate: 0 },
    { players: 1000, monsters: 60, postRate: 10 },
  ];
  for (const given of tooMany) {
    expect(() => runners(given, 35)).toThrow(expect.objectContaining({ exitCode: 104 }));
  }
});

test('the resources of a runner grow with its share of the load', () => {
  const of = (players: number, parallelism: number) =>
    deploymentOf('x', fluxK6, workloadWith({ players, intentRate: 1, postRate: 0 }), {
      ...options,
      parallelism,
    });
  expect(of(10_000, 2).cpuMillicores).toBe(900);
  expect(of(10_000, 2).memoryMegabytes).toBeGreaterThanOrEqual(2000);
  expect(of(10_000, 10).memoryMegabytes).toBeLessThan(of(10_000, 2).memoryMegabytes);
});

test('names are limited to what Kubernetes accepts', () => {
  const deployment = deploymentOf(`${'a'.repeat(39)}-${'b'.repeat(24)}`, fluxK6, workload, options);
  expect(deployment.name.length).toBeLessThanOrEqual(48);
  expect(faultsOf(parse(testRun(deployment)))).toEqual([]);
  expect(faultsOf(parse(configMap(deployment, script)))).toEqual([]);
});

test('a script that is too large for a ConfigMap is refused', () => {
  const deployment = deploymentOf('small', fluxK6, workload, options);
  const thrown = expect.objectContaining({ exitCode: 104, hint: expect.stringContaining('volumeClaim') });
  expect(() => configMap(deployment, 'ä'.repeat(2 ** 19))).toThrow(thrown);
  expect(configMap(deployment, 'x'.repeat(2 ** 20 - 4096)).length).toBeGreaterThan(2 ** 20 - 4096);
});

test('the guide names what was exported, and how to judge it', () => {
  const deployment = deploymentOf('small', fluxK6, workload, options);
  const text = guide(deployment, {
    workload,
    reference: './my world.yaml',
    flags: ['--set', 'load.players=100', '--scale', '0.5'],
  });
  expect(text).toContain('    http://world-2:3001/2\n');
  expect(text).toContain(
    "capbench report --scenario './my world.yaml' --set load.players=100 --scale 0.5 --from-k6 summary-*.json\n",
  );
  expect(text).toContain('-l k6_cr=capbench-small,runner=true');
  expect(text).not.toContain('undefined');
});
