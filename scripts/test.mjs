// Runs vitest as CI does (a missing golden fails instead of being written) and closes with one plain line of counts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

const results = 'build/test-results.json';
mkdirSync('build', { recursive: true });
rmSync(results, { force: true });
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, CI: 'true' } },
);
if (!existsSync(results)) {
  process.stderr.write('test: vitest wrote no results\n');
  process.exit(status || 1);
}
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success, testResults } = JSON.parse(
  readFileSync(results, 'utf8'),
);
// A file that fails to load has no failed test of its own; count it, so that the line cannot look green.
const brokenFiles = testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
).length;
process.stdout.write(
  `\n${numPassedTests} passed, ${numFailedTests + brokenFiles} failed, ${numPendingTests + numTodoTests} skipped\n`,
);
process.exit(success && status === 0 ? 0 : 1);
