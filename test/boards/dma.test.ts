/** Rules for DMA in board descriptions, each with a board that breaks it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseBoard } from '../../boards/load.ts';

const textOf = (board: string): string => readFileSync(new URL(`../../boards/${board}.json`, import.meta.url), 'utf8');

it.each([
  [
    'a line of a UART as several',
    'nucleo-u575zi-q',
    /"irq": 61/,
    '"irqs": [61]',
    /USART1, a stm32-usart, has no channels; give its line as "irq"/,
  ],
  [
    'a ninth stream',
    'disco-f746ng',
    /"irqs": \[11/,
    '"irqs": [10, 11',
    /DMA1 has 9 lines in "irqs"; a stm32-dma-streams has 1 to 8 channels/,
  ],
  ['no lines', 'disco-f746ng', /"irqs": \[11[^\]]*\],/, '', /DMA1 has 0 lines in "irqs"/],
  [
    'a multiplexer that is none',
    'nucleo-l4r5zi',
    /"mux": "DMAMUX1.7"/,
    '"mux": "DMA1.7"',
    /DMA2 has its requests from DMA1, which is no multiplexer/,
  ],
  [
    'a request by stream to a multiplexer',
    'nucleo-l4r5zi',
    /"DMAMUX1.34"/,
    '"DMAMUX1.3.4"',
    /the request DMAMUX1.3.4 of LPUART1 leads to no stm32-dma-streams/,
  ],
  [
    'a request to nobody',
    'nucleo-u575zi-q',
    /"GPDMA1.25"/,
    '"GPDMA2.25"',
    /the request GPDMA2.25 of USART1 leads to no stm32-dmamux or stm32-gpdma/,
  ],
] as const)('refuses %s', (_, board, from, to, message) => {
  const text = textOf(board);
  expect(text).toMatch(from);
  expect(() => parseBoard(text.replace(from, to), 'x.json')).toThrow(message);
});
