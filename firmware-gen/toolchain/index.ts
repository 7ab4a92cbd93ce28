/** Cross compilation: find the compiler, build the emitted tree, read back what came out. */
export type { BuildOptions, FirmwareImage } from './build.ts';
export { buildElf, writeSources } from './build.ts';
export type { ElfSymbol } from './elf-file.ts';
export type { Toolchain } from './find.ts';
export { findToolchain } from './find.ts';
export { DoesNotFitError } from './run-tool.ts';
