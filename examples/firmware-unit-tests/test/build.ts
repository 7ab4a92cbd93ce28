/** Builds the firmware before the tests run. */
import { execFileSync } from 'node:child_process';

export function setup(): void {
  execFileSync('make', ['-s', '-C', 'firmware'], { stdio: 'inherit' });
}
