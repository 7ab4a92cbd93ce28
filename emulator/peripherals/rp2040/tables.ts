/** Registers of the RP2040 that keep what is written and no more (data sheet 2.5, 2.7 to 2.10, 2.19 to 2.21, 4.1), and names of those not modelled. */
import { storage, unmodelled, type DeviceTable } from '../register-device.ts';

const withViews = (table: Omit<DeviceTable, 'bytes' | 'hasAtomicViews'>): DeviceTable => ({
  bytes: 0x1000,
  hasAtomicViews: true,
  ...table,
});

/** Revision B2. */
export const sysinfoTable: DeviceTable = {
  bytes: 0x4000,
  registers: [
    { name: 'CHIP_ID', offset: 0, reset: 0x2000_2927, writable: 0 },
    { name: 'PLATFORM', offset: 4, reset: 2, writable: 0 },
    { name: 'GITREF_RP2040', offset: 0x40, writable: 0 },
  ],
};

export const syscfgTable = withViews({
  registers: storage(
    'PROC0_NMI_MASK PROC1_NMI_MASK PROC_CONFIG=0x10000000 PROC_IN_SYNC_BYPASS PROC_IN_SYNC_BYPASS_HI DBGFORCE=0x66 MEMPOWERDOWN',
  ),
});

/** Everything is on and done. */
export const psmTable = withViews({
  registers: [...storage('FRCE_ON FRCE_OFF WDSEL'), { name: 'DONE', offset: 0xc, reset: 0x1_ffff, writable: 0 }],
});

/** An ASIC. */
export const tbmanTable = withViews({ registers: [{ name: 'PLATFORM', offset: 0, reset: 1, writable: 0 }] });

export const vregTable = withViews({
  registers: [
    // ROK: in regulation.
    { name: 'VREG', offset: 0, reset: 0x10b1, writable: 0xf3 },
    ...storage('BOD=0x91', 4),
    { name: 'CHIP_RESET', offset: 8, reset: 0x100, writable: 0x0100_0000 },
  ],
});

/** Always on and stable; its bit is not random. */
export const roscTable = withViews({
  registers: [
    ...storage('CTRL=0xaa0 FREQA FREQB DORMANT DIV=0xaa0 PHASE=0x8'),
    { name: 'STATUS', offset: 0x18, reset: 0x8000_1000, writable: 0 },
    { name: 'RANDOMBIT', offset: 0x1c, reset: 1, writable: 0 },
    ...storage('COUNT', 0x20),
  ],
});

/** The performance counters do not count. */
export const busctrlTable = withViews({
  registers: [
    ...storage('BUS_PRIORITY'),
    { name: 'BUS_PRIORITY_ACK', offset: 4, reset: 1, writable: 0 },
    ...storage('PERFCTR0 PERFSEL0=0x1f PERFCTR1 PERFSEL1=0x1f PERFCTR2 PERFSEL2=0x1f PERFCTR3 PERFSEL3=0x1f', 8),
  ],
});

export const padsQspiTable = withViews({
  registers: storage('VOLTAGE_SELECT SCLK=0x56 SD0=0x52 SD1=0x52 SD2=0x52 SD3=0x52 SS=0x5a'),
});

/** Only what turns the transceiver off. */
export const usbTable: DeviceTable = {
  bytes: 0x1000,
  hasAtomicViews: true,
  registers: storage('MAIN_CTRL - - SIE_CTRL', 0x40),
  unmodelled: new Map([
    ...unmodelled('ADDR_ENDP'),
    ...unmodelled(
      'SOF_WR SOF_RD - SIE_STATUS INT_EP_CTRL BUFF_STATUS BUFF_CPU_SHOULD_HANDLE EP_ABORT EP_ABORT_DONE',
      0x44,
    ),
    ...unmodelled('EP_STALL_ARM NAK_POLL EP_STATUS_STALL_NAK USB_MUXING USB_PWR USBPHY_DIRECT', 0x68),
    ...unmodelled('USBPHY_DIRECT_OVERRIDE USBPHY_TRIM - INTR INTE INTF INTS', 0x80),
  ]),
};

const each = (count: number, bytes: number, names: (index: number) => string): [number, string][] =>
  Array.from({ length: count }, (_, index) => unmodelled(names(index), index * bytes)).flat();

const UNMODELLED: Readonly<Record<string, readonly [number, string][]>> = {
  PWM: [
    ...each(8, 20, (n) => `CH${n}_CSR CH${n}_DIV CH${n}_CTR CH${n}_CC CH${n}_TOP`),
    ...unmodelled('EN INTR INTE INTF INTS', 0xa0),
  ],
  ADC: unmodelled('CS RESULT FCS FIFO DIV INTR INTE INTF INTS'),
  RTC: unmodelled('CLKDIV_M1 SETUP_0 SETUP_1 CTRL IRQ_SETUP_0 IRQ_SETUP_1 RTC_1 RTC_0 INTR INTE INTF INTS'),
  DMA: [
    ...each(
      12,
      64,
      (n) =>
        `CH${n}_READ_ADDR CH${n}_WRITE_ADDR CH${n}_TRANS_COUNT CH${n}_CTRL_TRIG CH${n}_AL1_CTRL CH${n}_AL1_READ_ADDR CH${n}_AL1_WRITE_ADDR CH${n}_AL1_TRANS_COUNT_TRIG CH${n}_AL2_CTRL CH${n}_AL2_TRANS_COUNT CH${n}_AL2_READ_ADDR CH${n}_AL2_WRITE_ADDR_TRIG CH${n}_AL3_CTRL CH${n}_AL3_WRITE_ADDR CH${n}_AL3_TRANS_COUNT CH${n}_AL3_READ_ADDR_TRIG`,
    ),
    ...unmodelled('INTR INTE0 INTF0 INTS0 - INTE1 INTF1 INTS1 TIMER0 TIMER1 TIMER2 TIMER3 MULTI_CHAN_TRIGGER', 0x400),
    ...unmodelled('SNIFF_CTRL SNIFF_DATA - FIFO_LEVELS CHAN_ABORT N_CHANNELS', 0x434),
  ],
  SPI: unmodelled('SSPCR0 SSPCR1 SSPDR SSPSR SSPCPSR SSPIMSC SSPRIS SSPMIS SSPICR SSPDMACR'),
  I2C: [
    ...unmodelled('IC_CON IC_TAR IC_SAR - IC_DATA_CMD IC_SS_SCL_HCNT IC_SS_SCL_LCNT IC_FS_SCL_HCNT IC_FS_SCL_LCNT'),
    ...unmodelled('IC_INTR_STAT IC_INTR_MASK IC_RAW_INTR_STAT IC_RX_TL IC_TX_TL', 0x2c),
    ...unmodelled('IC_ENABLE IC_STATUS IC_TXFLR IC_RXFLR IC_SDA_HOLD IC_TX_ABRT_SOURCE - IC_DMA_CR', 0x6c),
  ],
  PIO: unmodelled('CTRL FSTAT FDEBUG FLEVEL TXF0 TXF1 TXF2 TXF3 RXF0 RXF1 RXF2 RXF3 IRQ IRQ_FORCE INPUT_SYNC_BYPASS'),
};

/** @param name of the peripheral, with its number: SPI1 */
export const unmodelledTable = (name: string): DeviceTable =>
  withViews({ registers: [], unmodelled: new Map(UNMODELLED[name] ?? UNMODELLED[name.replace(/\d$/, '')] ?? []) });
