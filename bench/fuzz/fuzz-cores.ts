/** The core that random code is made for. */
import { coreOf, type Core } from '../../emulator/cores/core.ts';

export const cortexM4F: Core = coreOf({ core: 'cortex-m4', fpu: 'fpv4-sp-d16' });
