import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('.', import.meta.url).pathname,
    include: ['**/*.test.ts'],
    testTimeout: 20_000,
    // Two cores are all there is: end-to-end tests start real servers and must not run beside one another.
    maxWorkers: 2,
  },
});
