/** Z and z (GDB manual E.2). Software and hardware breakpoints are both marks of the engine: code is never patched, none ever runs out. */
import type { Board } from '../../../boards/schema.ts';
import type { Execution } from './execution.ts';
import { parseNumber } from './packets.ts';
import { ERROR_ARGUMENT, ERROR_MEMORY, ERROR_STATE, OK, UNSUPPORTED } from './replies.ts';
import type { WatchKind } from './watch.ts';

const watchKinds: Readonly<Record<string, WatchKind>> = { 2: 'write', 3: 'read', 4: 'access' };

/** The reply, or null for another kind of packet. Conditions and commands for the target to evaluate are not offered in qSupported. */
export function changeBreakpoint(text: string, execution: Execution, board: Board): string | null {
  if (!/^[zZ]/.test(text)) return null;
  const parts = /^([zZ])([0-9]),([0-9a-fA-F]+),([0-9a-fA-F]+)$/.exec(text);
  const address = parseNumber(parts?.[3]);
  const kind = parseNumber(parts?.[4]);
  if (parts === null || address === null || kind === null) return ERROR_ARGUMENT;
  const [, letter, type = ''] = parts;
  const inserts = letter === 'Z';
  if (type === '0' || type === '1') {
    const breakpoint = type === '0' ? 'software' : 'hardware';
    if (inserts && !isMemory(address, board)) return ERROR_MEMORY;
    if (inserts && !execution.addBreakpoint((address & ~1) >>> 0, breakpoint)) return ERROR_STATE;
    if (!inserts) execution.removeBreakpoint((address & ~1) >>> 0, breakpoint);
    return OK;
  }
  const watch = watchKinds[type];
  if (watch === undefined) return UNSUPPORTED;
  if (kind === 0) return ERROR_ARGUMENT;
  if (inserts && !execution.addWatch({ kind: watch, address, bytes: kind })) return UNSUPPORTED;
  if (!inserts) execution.removeWatch({ kind: watch, address, bytes: kind });
  return OK;
}

function isMemory(address: number, board: Board): boolean {
  return board.memory.some(({ start, bytes }) => address >= start && address - start < bytes);
}
