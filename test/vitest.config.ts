import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Fonts as base64, as bin/build.js bundles them. */
const fonts = {
  name: 'fonts',
  enforce: 'pre' as const,
  load: (id: string): string | null =>
    id.endsWith('.woff2') ? `export default "${readFileSync(id, 'base64')}"` : null,
};

export default defineConfig({
  plugins: [fonts],
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    testTimeout: 20_000,
    // What is waited for comes when the machine gets to it: a second, the default, is too short on a busy one.
    expect: { poll: { timeout: 15_000 } },
    // Two cores are all there is. Tests of real servers wait more than they compute: three at a time keep both busy.
    maxWorkers: 3,
  },
});
