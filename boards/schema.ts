/**
 * What a board description may say. Facts live in boards/<name>.json with their sources; code never knows a board by name.
 * Unknown fields are refused, so that a misspelt one cannot be silently ignored.
 */
import { z } from 'zod';
import { PERIPHERAL_KINDS } from './peripheral-kinds.ts';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{8}$/, 'an address is a string of 0x and eight hex digits')
  .transform((text) => Number.parseInt(text, 16));

const memoryRegion = z.strictObject({
  /** Linker region name, e.g. "FLASH", "RAM". */
  name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  /** flash: code and constants; ram: data, bss, arena, stack. The first of each kind is used by the linker script. */
  kind: z.enum(['flash', 'ram']),
  start: address,
  bytes: z.int().positive(),
  /** False: for the core alone, out of reach for DMA. */
  dma: z.literal(false).optional(),
});

const dmaLines = z.array(z.string().regex(/^[A-Z][A-Za-z0-9_]*(\.\d+){1,2}$/, 'it is DMAMUX1.34 or DMA1.5.4')).min(1);

const peripheral = z.strictObject({
  /** As the reference manual calls it: LPUART1, TIM5. */
  name: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9_]*$/, 'a peripheral is named as in the manual, beginning with a capital letter'),
  kind: z.enum(PERIPHERAL_KINDS),
  base: address,
  /** Line of the NVIC. */
  irq: z.int().min(0).max(495).optional(),
  /** Timers: of compare events, where these have a line of their own. */
  compareIrq: z.int().min(0).max(495).optional(),
  /** DMA controllers: a line for every channel; several may share one. */
  irqs: z.array(z.int().min(0).max(495)).min(1).max(16).optional(),
  /** DMA controllers: the multiplexer that selects requests, and its channel that goes to the first of the controller's, as DMAMUX1.7. */
  mux: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9_]*\.\d+$/, 'it is MULTIPLEXER.CHANNEL, as DMAMUX1.7')
    .transform((text) => ({ name: text.split('.')[0]!, first: Number(text.split('.')[1]) }))
    .optional(),
  /** UARTs: their DMA requests, as CONTROLLER.STREAM.CHANNEL where the wiring is fixed, else MULTIPLEXER.NUMBER. */
  dma: z.strictObject({ receive: dmaLines, transmit: dmaLines }).optional(),
  /** What it counts time by, a clock of the chip's clock controller; absent: the core's. */
  clock: z.string().optional(),
  /** PERIPHERAL.REGISTER.BIT that must be set for it to answer. */
  enabledBy: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9_]*\.[A-Z][A-Z0-9_]*\.([12]?\d|3[01])$/, 'it is PERIPHERAL.REGISTER.BIT, as RCC.AHB2ENR.6')
    .optional(),
});

/** Read-only words of the chip outside its peripherals: unique id, flash size. */
const constantWords = z.strictObject({
  name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
  start: address,
  words: z.array(z.string().regex(/^0x[0-9a-fA-F]{8}$/)).min(1),
});

/** ST's flash accelerator: caches of whole flash lines, and the memories whose accesses do not pipeline with one another. */
const artGeometry = z.strictObject({
  instructionCacheBytes: z.int().positive(),
  instructionCacheWays: z.int().positive(),
  /** 0: no data cache. */
  dataCacheBytes: z.int().min(0),
  dataCacheWays: z.int().positive(),
  /** Memories with a port of their own on the bus matrix, flash apart. */
  slaves: z.array(z.strictObject({ name: z.string().min(1), start: address, bytes: z.int().positive() })).max(6),
});

/** One cache in front of slow flash: how it is built; what it serves, and the wait states, are in the chip's registers. */
const flashCacheGeometry = z.strictObject({
  cacheBytes: z.int().positive(),
  ways: z.int().positive(),
  /** What one tag stands for. */
  lineBytes: z.int().positive(),
  /** Instructions and data of the flash share one bus of 32 bits. */
  sharedBus: z.boolean().default(false),
  slaves: artGeometry.shape.slaves,
});

/** Flash without wait states whose one port serves instructions and data (Cortex-M3, M4). */
const sharedFlashGeometry = z.strictObject({
  /** What one read brings. */
  lineBytes: z.int().positive(),
});

/** Caches of a Cortex-M7 for instructions and data; RAM that is not tightly coupled lies behind them, as the flash does. */
const l1Geometry = z.strictObject({
  instructionCacheBytes: z.int().positive(),
  dataCacheBytes: z.int().positive(),
  tightlyCoupled: z
    .array(z.strictObject({ name: z.string().min(1), start: address, bytes: z.int().positive() }))
    .max(6),
  /** From the core to a memory on the bus and back. */
  busCycles: z.int().min(0),
});

/** A bit that must be set before something can be used: clock enables, voltage domains. */
const registerBit = z.strictObject({ register: address, bit: z.int().min(0).max(31) });

const pin = z.strictObject({
  /** Base of the port's registers. */
  port: address,
  pin: z.int().min(0).max(31),
  /** Number of the alternate function; 0 where the chip does not number them. */
  function: z.int().min(0).max(31),
});

/** The UART that the board's users see, for our firmware: driver, and what has to be set up around it. */
const uart = z.strictObject({
  /** Driver of kernels/runtime. */
  kind: z.enum(['cmsdk-uart', 'stm32-usart', 'stm32-lpuart', 'stm32-usart-v1', 'nrf52-uart', 'pl011', 'psoc6-scb']),
  base: address,
  /** What the UART counts bits by after our clock set-up; absent: clockHz of the board. */
  clockHz: z.int().positive().optional(),
  /** In this order, before the pins are set up. */
  enable: z.array(registerBit).default([]),
  /** Transmit, then receive. */
  pins: z.array(pin).length(2).optional(),
});

export const boardSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  description: z.string().min(1),
  core: z.enum(['cortex-m0', 'cortex-m0plus', 'cortex-m3', 'cortex-m4', 'cortex-m7', 'cortex-m23', 'cortex-m33']),
  /** By the compiler's name. */
  fpu: z.enum(['none', 'fpv4-sp-d16', 'fpv5-sp-d16', 'fpv5-d16']),
  /** Cortex-M0, M0+ and M23 only: MULS in one cycle (default) or in 32, as the part's maker chose. */
  multiplier: z.enum(['single-cycle', 'iterative']).optional(),
  /** Cortex-M3 and M4 only: the chip has the bit-band aliases at 0x22000000 and 0x42000000. */
  bitBand: z.boolean().default(false),
  /** Core clock in Hz that the firmware runs at; cycles / clockHz gives latency. */
  clockHz: z.int().positive(),
  /** How the firmware reaches clockHz after reset, a file of kernels/runtime; absent: the core runs at clockHz from reset. */
  clockSetup: z
    .enum([
      'stm32l4r-120mhz',
      'stm32g0-64mhz',
      'stm32f4-168mhz',
      'stm32f7-216mhz',
      'stm32h7a3-280mhz',
      'stm32u5-160mhz',
      'psoc6-150mhz',
      'nrf52-64mhz',
      'rp2040-125mhz',
    ])
    .optional(),
  memory: z.array(memoryRegion).min(2),
  /** Where the core finds its vector table after reset or after what runs before it; absent: at the start of the first flash. */
  vectorTable: address.optional(),
  /** Code of the chip's own at address 0 that runs first and starts the image: emulator/peripherals/rp2040/boot-rom.S. */
  rom: z.enum(['rp2040']).optional(),
  /** What runs before the vector table's code, a file of kernels/runtime placed at the start of flash. */
  boot: z.enum(['rp2040-boot2', 'psoc6-cm0p']).optional(),
  uart: uart.nullable(),
  /** Devices of the chip besides those of its core. */
  peripherals: z.array(peripheral).default([]),
  /** Crystals and clock inputs fitted on the board, in Hz. */
  oscillators: z.strictObject({ hse: z.int().positive().optional(), lse: z.int().positive().optional() }).default({}),
  constants: z.array(constantWords).default([]),
  /** From the data sheet, for estimates; absent: no figure with a source. */
  power: z
    .strictObject({
      /** Microamperes per megahertz of the core while it runs from flash. */
      activeUaPerMhz: z.number().positive(),
      /** Microamperes in a low-power mode, RAM kept; left out where there is no source. */
      sleep: z.strictObject({ microamps: z.number().positive(), mode: z.string().min(1) }).optional(),
      supplyV: z.number().positive().max(6),
      /** Document and place of the currents. */
      source: z.string().min(1),
    })
    .optional(),
  /** A word that only this chip family has: (word at address & mask) is value. Firmware reads it to tell hardware from an emulator. */
  chipId: z.strictObject({ address, mask: address, value: address }).optional(),
  /** The chip has ST's UART boot loader (AN3155) in ROM; pageBytes is what it erases at once. */
  bootLoader: z.strictObject({ pageBytes: z.int().positive() }).optional(),
  /** How our firmware keeps data over resets in the first flash; absent: it cannot. */
  flashDriver: z
    .strictObject({
      /** Driver of kernels/runtime. */
      kind: z.enum(['stm32l4-flash', 'stm32f4-flash', 'nrf52-nvmc', 'rp2040-ssi']),
      /** What is erased at once at the end of that flash, where the data goes. */
      pageBytes: z.int().positive(),
    })
    .optional(),
  /** What flashing tools call the board and its chip. */
  debug: z
    .strictObject({
      /** DBGMCU_IDCODE whole, as a debugger reads it. */
      idCode: address.optional(),
      /** IDCODE of the boundary scan TAP in front of the core's. */
      boundaryScanIdCode: address.optional(),
      openocdInterface: z.string().min(1).optional(),
      openocdTarget: z.string().min(1).optional(),
      pyocdTarget: z.string().min(1).optional(),
      probeRsChip: z.string().min(1).optional(),
      jlinkDevice: z.string().min(1).optional(),
      /** Mass storage of the boot loader: the family its UF2 blocks must have, and Board-ID of its INFO_UF2.TXT. */
      uf2: z.strictObject({ familyId: address, boardId: z.string().min(1) }).optional(),
      /** USB vendor and product of the boot loader. */
      dfuId: z
        .string()
        .regex(/^[0-9a-f]{4}:[0-9a-f]{4}$/)
        .optional(),
    })
    .optional(),
  timing: z.strictObject({
    /**
     * zero-wait: memories answer in one cycle, as on the real board. stm32-art: wait states as the firmware sets them up, behind ST's accelerator (`art`).
     * flash-cache: the same behind one cache (`cache`). l1: behind the core's own caches (`l1`). shared-flash: no wait states, but loads
     * from flash take the place of fetches (`shared`).
     * not-modelled: the real board has wait states that are not counted yet.
     */
    memory: z.enum(['zero-wait', 'stm32-art', 'flash-cache', 'l1', 'shared-flash', 'not-modelled']),
    art: artGeometry.optional(),
    cache: flashCacheGeometry.optional(),
    l1: l1Geometry.optional(),
    shared: sharedFlashGeometry.optional(),
    note: z.string().optional(),
  }),
  /** Where each fact was read: manual, section. */
  sources: z.array(z.string().min(1)).min(1),
});

export type Board = z.infer<typeof boardSchema>;
/** As in the JSON: addresses are texts. */
export type BoardDescription = z.input<typeof boardSchema>;
export type MemoryRegion = Board['memory'][number];
