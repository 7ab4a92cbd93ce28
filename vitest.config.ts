import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Native addons and gcc processes: forked workers keep a crash of one file from hiding the others.
    pool: 'forks',
    maxWorkers: 2,
  },
});
