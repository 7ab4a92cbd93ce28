/** Cores for tests that need no board. */
import { coreOf, type Core } from '../../../emulator/cores/core.ts';

/** Cortex-M4 with its FPU: what most tests run on. */
export const cortexM4F: Core = coreOf({ core: 'cortex-m4', fpu: 'fpv4-sp-d16' });
