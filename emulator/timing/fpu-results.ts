/** Results of the Cortex-M7's FPU that are still to come, by who needs them. Numbers: cortexM7Rules. */
import { cortexM7Rules as rules } from './cortex-m7.ts';
import type { Instruction } from './instruction.ts';
import type { Operands } from './operands.ts';

/** Single-precision registers, and the cycle from which an operand, an addend and a store have them. */
export type FpResult = readonly [registers: number, operand: number, addend: number, stored: number];

const isMac = ({ timing }: Instruction): boolean =>
  timing === 'fpMultiplyAccumulate' || timing === 'fpDoubleMultiplyAccumulate';

/** First cycle in which the operands are there. */
export function waitForFpu(results: readonly FpResult[], instruction: Instruction, { fpReads }: Operands): number {
  const mac = isMac(instruction);
  const reads = mac ? instruction.fpReads : fpReads;
  const addend = mac ? instruction.fpArithmeticWrites & ~reads : 0;
  const isStore = instruction.timing === 'fpStore' || instruction.timing === 'fpStoreMultiple';
  let needed = 0;
  for (const [registers, operand, toAddend, stored] of results) {
    if ((registers & reads) !== 0) needed = Math.max(needed, isStore ? stored : operand);
    if ((registers & addend) !== 0) needed = Math.max(needed, toAddend);
  }
  return needed;
}

/** What an instruction that ends in a cycle leaves. */
export function resultOf(instruction: Instruction, { fpWrites }: Operands, done: number): FpResult | null {
  if (fpWrites === 0) return null;
  const addend = done + rules.fpAddend.cycles;
  if (isMac(instruction)) {
    const isFused = (instruction.encoding & 0x0080_0000) !== 0;
    const operand = isFused ? rules.fpFusedResult.cycles : rules.fpMacResult.cycles;
    return [fpWrites, done + operand, addend, done + rules.fpMacStored.cycles + (isFused ? 0 : 1)];
  }
  const isLoad = instruction.timing === 'fpLoad' || instruction.timing === 'fpLoadMultiple';
  const operand = isLoad ? rules.fpLoad.cycles : rules.fpResult.cycles;
  return [fpWrites, done + operand, addend, done + rules.fpStored.cycles];
}

/** Without those that are there in a cycle; times count from it. */
export function aged(results: readonly FpResult[], cycle: number): readonly FpResult[] {
  return results
    .map(([registers, operand, addend, stored]): FpResult => [
      registers,
      Math.max(operand - cycle, 0),
      Math.max(addend - cycle, 0),
      Math.max(stored - cycle, 0),
    ])
    .filter(([, operand, addend]) => operand > 0 || addend > 0);
}
