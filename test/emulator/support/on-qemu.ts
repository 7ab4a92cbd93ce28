/** Runs an ELF on qemu-system-arm with semihosting and gives what it printed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../common/package-root.ts';

export const hasQemu = spawnSync('qemu-system-arm', ['--version']).status === 0;

export function onQemu(
  elf: Uint8Array,
  board = 'mps2-an386',
  secondsMax = 60,
): { stdout: string; exitCode: number | null; stderr: string } {
  mkdirSync(join(packageRoot(), 'build'), { recursive: true });
  const folder = mkdtempSync(join(packageRoot(), 'build', 'qemu-'));
  try {
    const path = join(folder, 'firmware.elf');
    writeFileSync(path, elf);
    const output = join(folder, 'output.txt');
    const args = ['-M', board, '-icount', 'shift=0', '-display', 'none', '-monitor', 'none', '-serial', 'none'];
    // SYS_WRITE0 through a file: what QEMU still holds for its console is lost when the core locks up. SYS_WRITE goes to QEMU's own output.
    const semihosting = [
      '-chardev',
      `file,path=${output},id=text`,
      '-semihosting-config',
      'enable=on,target=native,chardev=text',
    ];
    const { status, stdout, stderr } = spawnSync('qemu-system-arm', [...args, ...semihosting, '-kernel', path], {
      encoding: 'utf8',
      timeout: secondsMax * 1000,
    });
    return { stdout: stdout + readFileSync(output, 'utf8'), exitCode: status, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
