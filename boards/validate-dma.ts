/** Rules for DMA in board descriptions, each with the offending value in its message. */
import { UserError } from '../common/errors.ts';
import type { Board } from './schema.ts';

/** Controllers, with the most channels they have. */
const CONTROLLERS: Readonly<Partial<Record<Board['peripherals'][number]['kind'], number>>> = {
  'stm32-dma-streams': 8,
  'stm32-dma-channels': 7,
  'stm32-gpdma': 16,
};

/** A channel without a line would never be heard of. */
export function rejectOddDmaChannels({ name: board, peripherals }: Board): void {
  for (const { name, kind, irqs } of peripherals) {
    const most = CONTROLLERS[kind];
    if (most === undefined && irqs !== undefined)
      throw new UserError(`board ${board}: ${name}, a ${kind}, has no channels; give its line as "irq"`);
    if (most !== undefined && (irqs === undefined || irqs.length > most))
      throw new UserError(
        `board ${board}: ${name} has ${irqs?.length ?? 0} lines in "irqs"; a ${kind} has 1 to ${most} channels`,
      );
  }
}

/** A request that leads nowhere would be waited for without end. */
export function rejectUnknownDmaLines({ name: board, peripherals }: Board): void {
  const kindOf = (name: string): string | undefined => peripherals.find((one) => one.name === name)?.kind;
  for (const { name, mux, dma } of peripherals) {
    if (mux !== undefined && kindOf(mux.name) !== 'stm32-dmamux')
      throw new UserError(
        `board ${board}: ${name} has its requests from ${mux.name}, which is no multiplexer; correct "mux"`,
      );
    for (const line of [...(dma?.receive ?? []), ...(dma?.transmit ?? [])]) {
      const [owner = '', ...numbers] = line.split('.');
      const wanted = numbers.length === 2 ? ['stm32-dma-streams'] : ['stm32-dmamux', 'stm32-gpdma'];
      if (!wanted.includes(kindOf(owner) ?? ''))
        throw new UserError(
          `board ${board}: the request ${line} of ${name} leads to no ${wanted.join(' or ')} of that name; correct "dma"`,
        );
    }
  }
}
