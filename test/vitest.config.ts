import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './longest-first.ts';

/** Fonts as base64, as bin/build.js bundles them. */
const fonts = {
  name: 'fonts',
  enforce: 'pre' as const,
  load: (id: string): string | null =>
    id.endsWith('.woff2') ? `export default "${readFileSync(id, 'base64')}"` : null,
};

/** Tests of real processes and servers. */
const COMPONENTS = [
  'ci/action.test.ts',
  'e2e/**/*.test.ts',
  'dashboard/server.test.ts',
  'run/*.test.ts',
  'score/*.test.ts',
  'server/*.test.ts',
  'stack/*.test.ts',
  'supervision/*.test.ts',
  'systems/**/server/*.test.ts',
  'systems/*/autocannon/*.test.ts',
  'systems/flux/{attach,foreign-servers}.test.ts',
  'systems/own/*.test.ts',
  'toy/*.test.ts',
  'load/{engine,refusals,wake,worker}*.test.ts',
  'load/agent/*.test.ts',
  'load/k6/*.test.ts',
  'load/module/*.test.ts',
  'probe/{host,metrics,redis,target-processes,watch}.test.ts',
];
/** Damaged input by the hundred: `npm run test:fuzz`. */
const FUZZ = ['fuzz/*.test.ts', 'scenario/mutation.test.ts'];
/** The package as its users have it: `npm run test:acceptance`. */
const ACCEPTANCE = ['acceptance/*.test.ts'];
/** What takes long, and is seldom the first to break: of `npm run test:acceptance`, too. */
const LONG = [
  'bench/truth/engine.test.ts',
  'e2e/{agents,disturbed,duet,outcomes,tier}.test.ts',
  'e2e/faults/{host,processes}.test.ts',
  'load/k6/{merge,segments,standalone}.test.ts',
  'probe/attached-postgres.test.ts',
];

export default defineConfig({
  plugins: [fonts],
  test: {
    root: import.meta.dirname,
    // A limit for what hangs. On a busy machine a second's work may take half a minute.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 }, requireAssertions: true },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...COMPONENTS, ...FUZZ, ...LONG, ...ACCEPTANCE],
          // Values in, values out: the modules are loaded once for each worker, and not for each file.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'components',
          include: COMPONENTS,
          exclude: LONG,
          globalSetup: './postgres-once.ts',
          isolate: false,
          // They wait more than they compute: five at a time keep two cores busy.
          maxWorkers: 5,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: 'fuzz', include: FUZZ, maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: LONG,
          globalSetup: './postgres-once.ts',
          isolate: false,
          maxWorkers: 3,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        // One after the other, since one of them judges how fast this machine is.
        test: { name: 'acceptance', include: ACCEPTANCE, maxWorkers: 1, sequence: { groupOrder: 4 } },
      },
    ],
  },
});
