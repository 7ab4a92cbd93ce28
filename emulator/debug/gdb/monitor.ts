/** `monitor COMMAND` of gdb (qRcmd): what no packet exists for. */
import type { Counters } from '../../cpu/cpu.ts';

export interface MonitorTarget {
  /** Core and peripherals as after power-on, halted before the first instruction. */
  reset(): void;
  counters(): Counters;
  /** Counters when the target was last resumed. */
  countersAtResume(): Counters;
  /** Whether a step stops at the first instruction of the handler of a pending interrupt. */
  enterHandlers(enters: boolean): void;
}

const HELP = `monitor reset [halt|init]  core and peripherals as after power-on, halted at the reset vector; memory stays as it is
monitor halt               nothing to do: between commands the target is always halted
monitor cycles             cycles and instructions since reset, and since the target was last resumed
monitor step-interrupts over|into  what a step does with a pending interrupt: runs its handler first (over, at first),
                           or stops at the handler's first instruction
monitor help               this text
`;

/** What the command prints, whole lines. An unknown one is told so, and what there is. */
export function runMonitorCommand(line: string, target: MonitorTarget): string {
  const words = line.trim().toLowerCase().split(/\s+/);
  switch (words[0]) {
    case 'reset':
      return reset(words[1], target);
    case 'halt':
      return 'the target is halted\n';
    case 'cycles':
      return cycles(target);
    case 'step-interrupts':
      return stepInterrupts(words[1], target);
    case 'help':
    case '':
      return HELP;
    default:
      return `unknown command "${line.trim()}"; there are:\n${HELP}`;
  }
}

function reset(mode: string | undefined, target: MonitorTarget): string {
  if (mode === 'run') return 'reset run is not supported: use monitor reset, then continue\n';
  if (mode !== undefined && mode !== 'halt' && mode !== 'init') return `reset: unknown mode "${mode}"; halt or init\n`;
  target.reset();
  return 'the target is reset and halted; gdb reads its registers anew after: maintenance flush register-cache\n';
}

function stepInterrupts(mode: string | undefined, target: MonitorTarget): string {
  if (mode !== 'over' && mode !== 'into') return `step-interrupts: over or into, not "${mode ?? ''}"\n`;
  target.enterHandlers(mode === 'into');
  return mode === 'into' ? 'steps stop in interrupt handlers\n' : 'steps pass interrupt handlers\n';
}

function cycles(target: MonitorTarget): string {
  const now = target.counters();
  const then = target.countersAtResume();
  const since = `${now.cycles - then.cycles} cycles, ${now.instructions - then.instructions} instructions`;
  return `${now.cycles} cycles, ${now.instructions} instructions since reset\n${since} since last resumed\n`;
}
