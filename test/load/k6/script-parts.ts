/**
 * Declarations of a k6 script, to be called from a test: the script without its imports, with what stands in for the
 * k6 modules.
 */
export function partsOf<T>(
  source: string,
  names: readonly string[],
  modules: Readonly<Record<string, unknown>> = {},
): T {
  const plain = source.replaceAll(/^import .* from '.*';$/gm, '').replaceAll(/^export /gm, '');
  const body = `'use strict';\n${plain}\nreturn { ${names.join(', ')} };`;
  return new Function(...Object.keys(modules), body)(...Object.values(modules)) as T;
}

/** Stands in for a metric of k6's: what was added. */
export class FakeMetric {
  static readonly all = new Map<string, FakeMetric>();
  readonly values: unknown[] = [];

  constructor(name: string) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,128}$/.test(name)) throw new Error(`k6 refuses the name ${name}`);
    FakeMetric.all.set(name, this);
  }

  add(value: unknown): void {
    this.values.push(value);
  }
}

export const fakeModules = (env: Readonly<Record<string, string>> = {}) => ({
  __ENV: env,
  exec: {},
  http: {},
  WebSocket: class {},
  Counter: FakeMetric,
  Gauge: FakeMetric,
  Rate: FakeMetric,
  Trend: FakeMetric,
});
