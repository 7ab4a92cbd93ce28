/** Every kind of device a board description can name, and how it is made. */
import type { Board } from '../../boards/schema.ts';
import { CmsdkUart } from './cmsdk-uart.ts';
import type { DeviceContext, PeripheralSpec } from './device-context.ts';
import type { Peripheral } from './peripheral.ts';
import { RegisterDevice } from './register-device.ts';
import { Nrf52Uart } from './nrf52/uart.ts';
import { Nrf52Rtc, Nrf52Timer } from './nrf52/counters.ts';
import * as nrf52 from './nrf52/devices.ts';
import * as nrf52Small from './nrf52/small-devices.ts';
import { Pl011 } from './pl011.ts';
import * as psoc6 from './psoc6/devices.ts';
import { Psoc6Scb } from './psoc6/scb.ts';
import * as psoc6System from './psoc6/system.ts';
import { Psoc6Tcpwm } from './psoc6/tcpwm.ts';
import * as rp2040 from './rp2040/clocks.ts';
import * as rp2040Devices from './rp2040/devices.ts';
import { Rp2040BootRom } from './rp2040/boot-rom.ts';
import { Rp2040Ssi } from './rp2040/ssi.ts';
import * as rp2040Tables from './rp2040/tables.ts';
import { Rp2040IoQspi, Rp2040XipControl } from './rp2040/xip.ts';
import { Stm32Crc } from './stm32/crc.ts';
import { Stm32DmaChannels, Stm32DmaMux } from './stm32/dma-channels.ts';
import { Stm32DmaStreams } from './stm32/dma-streams.ts';
import * as f4 from './stm32/f4-f7.ts';
import { Stm32Flash } from './stm32/flash-interface.ts';
import { Stm32Gpdma } from './stm32/gpdma.ts';
import { Stm32Gpio } from './stm32/gpio.ts';
import * as g0 from './stm32/g0.ts';
import * as h7 from './stm32/h7.ts';
import * as l4 from './stm32/l4.ts';
import { Stm32Icache, Stm32Pwr, pwrFollowsF7, pwrFollowsH7, pwrFollowsU5 } from './stm32/pwr.ts';
import { Stm32Rng } from './stm32/rng.ts';
import * as system from './stm32/system-tables.ts';
import { Stm32Rcc } from './stm32/rcc.ts';
import { Stm32Timer } from './stm32/timer.ts';
import * as u5 from './stm32/u5.ts';
import { Stm32UsartV1 } from './stm32/usart-v1.ts';
import { Stm32Usart } from './stm32/usart.ts';

type Factory = (spec: PeripheralSpec, context: DeviceContext) => Peripheral;

export const deviceCatalogue: Readonly<Record<Board['peripherals'][number]['kind'], Factory>> = {
  'cmsdk-uart': (spec, { host, serialLine }) => new CmsdkUart(spec.base, serialLine(spec.name), host),
  'stm32-usart': (spec, context) => new Stm32Usart(spec, context, false),
  'stm32-lpuart': (spec, context) => new Stm32Usart(spec, context, true),
  'stm32-timer16': (spec, context) => new Stm32Timer(spec, context, 16),
  'stm32-timer32': (spec, context) => new Stm32Timer(spec, context, 32),
  'stm32-gpio': (spec, context) => new Stm32Gpio(spec, context, false),
  'stm32l4-rcc': (spec, context) => new Stm32Rcc(spec, context, l4.rccL4Table, l4.ratesOfL4),
  'stm32l4-pwr': (spec) => new RegisterDevice(spec.name, spec.base, l4.pwrL4Table),
  'stm32l4-flash': (spec, context) => new Stm32Flash(spec, context, l4.flashL4),
  'stm32l4-syscfg': (spec) => new RegisterDevice(spec.name, spec.base, l4.syscfgL4Table),
  'stm32-usart-v1': (spec, context) => new Stm32UsartV1(spec, context),
  'stm32-gpio-f': (spec, context) => new Stm32Gpio(spec, context, true),
  'stm32g0-rcc': (spec, context) => new Stm32Rcc(spec, context, g0.rccG0Table, g0.ratesOfG0),
  'stm32g0-pwr': (spec) => new RegisterDevice(spec.name, spec.base, g0.pwrG0Table),
  'stm32g0-flash': (spec, context) => new Stm32Flash(spec, context, g0.flashG0),
  'stm32g0-syscfg': (spec) => new RegisterDevice(spec.name, spec.base, g0.syscfgG0Table),
  'stm32f4-rcc': (spec, context) => new Stm32Rcc(spec, context, f4.rccF4Table, f4.ratesOfF4),
  'stm32f4-pwr': (spec) => new RegisterDevice(spec.name, spec.base, f4.pwrF4Table),
  'stm32f4-flash': (spec, context) => new Stm32Flash(spec, context, f4.flashF4),
  'stm32f4-syscfg': (spec) => new RegisterDevice(spec.name, spec.base, f4.syscfgF4Table),
  'stm32f7-rcc': (spec, context) => new Stm32Rcc(spec, context, f4.rccF7Table, f4.ratesOfF7),
  'stm32f7-pwr': (spec) => new Stm32Pwr(spec, f4.pwrF7Table, pwrFollowsF7),
  'stm32f7-flash': (spec, context) => new Stm32Flash(spec, context, f4.flashF7),
  'stm32h7a3-rcc': (spec, context) => new Stm32Rcc(spec, context, h7.rccH7Table, h7.ratesOfH7),
  'stm32h7a3-pwr': (spec) => new Stm32Pwr(spec, h7.pwrH7Table, pwrFollowsH7),
  'stm32h7a3-flash': (spec, context) => new Stm32Flash(spec, context, h7.flashH7),
  'stm32h7a3-syscfg': (spec) => new RegisterDevice(spec.name, spec.base, h7.syscfgH7Table),
  'stm32u5-rcc': (spec, context) => new Stm32Rcc(spec, context, u5.rccU5Table, u5.ratesOfU5),
  'stm32u5-pwr': (spec) => new Stm32Pwr(spec, u5.pwrU5Table, pwrFollowsU5),
  'stm32u5-flash': (spec, context) => new Stm32Flash(spec, context, u5.flashU5),
  'stm32u5-icache': (spec, context) => new Stm32Icache(spec, context),
  'stm32u5-syscfg': (spec) => new RegisterDevice(spec.name, spec.base, u5.syscfgU5Table),
  'stm32-dma-streams': (spec, context) => new Stm32DmaStreams(spec, context),
  'stm32-dma-channels': (spec, context) => new Stm32DmaChannels(spec, context),
  'stm32-dmamux': (spec, context) => new Stm32DmaMux(spec, context),
  'stm32-gpdma': (spec, context) => new Stm32Gpdma(spec, context),
  'stm32-crc': (spec) => new Stm32Crc(spec, false),
  'stm32-crc-fixed': (spec) => new Stm32Crc(spec, true),
  'stm32-rng': (spec, context) => new Stm32Rng(spec, context),
  'stm32-dbgmcu': (spec, { idCode }) => new RegisterDevice(spec.name, spec.base, system.dbgmcuTable(idCode)),
  'stm32-iwdg': (spec) => new RegisterDevice(spec.name, spec.base, system.iwdgTable),
  'stm32-fmc': (spec) => new RegisterDevice(spec.name, spec.base, system.fmcTable),
  'stm32l4-exti': (spec) => new RegisterDevice(spec.name, spec.base, system.extiL4Table),
  'stm32f4-exti': (spec) => new RegisterDevice(spec.name, spec.base, system.extiF4Table),
  'stm32g0-exti': (spec) => new RegisterDevice(spec.name, spec.base, system.extiG0Table),
  'stm32h7-exti': (spec) => new RegisterDevice(spec.name, spec.base, system.extiH7Table),
  'nrf52-clock': (spec, context) => new nrf52.Nrf52Clock(spec, context),
  'nrf52-nvmc': (spec, context) => new nrf52.Nrf52Nvmc(spec, context),
  'nrf52-gpio': (spec) => new nrf52.Nrf52Gpio(spec),
  'nrf52-timer': (spec, context) => new Nrf52Timer(spec, context),
  'nrf52-rtc': (spec, context) => new Nrf52Rtc(spec, context),
  'nrf52-rng': (spec, context) => new nrf52Small.Nrf52Rng(spec, context),
  'nrf52-temp': (spec, context) => new nrf52Small.Nrf52Temp(spec, context),
  'nrf52-egu': (spec, context) => new nrf52Small.Nrf52Egu(spec, context),
  'nrf52-wdt': (spec, context) => new nrf52Small.Nrf52Wdt(spec, context),
  'nrf52-ppi': (spec, context) => new nrf52Small.Nrf52Ppi(spec, context),
  'nrf52-gpiote': (spec, context) => new nrf52Small.Nrf52Gpiote(spec, context),
  'nrf52-uart': (spec, context) => new Nrf52Uart(spec, context),
  'rp2040-resets': (spec) => new rp2040.Rp2040Resets(spec),
  'rp2040-xosc': (spec, context) => new rp2040.Rp2040Xosc(spec, context),
  'rp2040-pll': (spec, context) => new rp2040.Rp2040Pll(spec, context),
  'rp2040-clocks': (spec, context) => new rp2040.Rp2040Clocks(spec, context),
  'rp2040-watchdog': (spec, context) => new rp2040.Rp2040Watchdog(spec, context),
  'rp2040-timer': (spec, context) => new rp2040Devices.Rp2040Timer(spec, context),
  'rp2040-sio': (spec, context) => new rp2040Devices.Rp2040Sio(spec, context),
  'rp2040-io-bank': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Devices.ioBankTable),
  'rp2040-pads': (spec, context) => new rp2040Devices.Rp2040Pads(spec, context),
  'rp2040-ssi': (spec, context) => new Rp2040Ssi(spec, context),
  'rp2040-boot-rom': (spec, context) => new Rp2040BootRom(spec, context),
  'rp2040-sysinfo': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.sysinfoTable),
  'rp2040-syscfg': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.syscfgTable),
  'rp2040-psm': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.psmTable),
  'rp2040-tbman': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.tbmanTable),
  'rp2040-vreg': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.vregTable),
  'rp2040-rosc': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.roscTable),
  'rp2040-busctrl': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.busctrlTable),
  'rp2040-xip-ctrl': (spec, context) => new Rp2040XipControl(spec, context),
  'rp2040-io-qspi': (spec, context) => new Rp2040IoQspi(spec, context),
  'rp2040-pads-qspi': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.padsQspiTable),
  'rp2040-usb': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.usbTable),
  'rp2040-unmodelled': (spec) => new RegisterDevice(spec.name, spec.base, rp2040Tables.unmodelledTable(spec.name)),
  pl011: (spec, context) => new Pl011(spec, context),
  'psoc6-srss': (spec, context) => new psoc6.Psoc6Srss(spec, context),
  'psoc6-cpuss': (spec, context) => new psoc6.Psoc6Cpuss(spec, context),
  'psoc6-peri': (spec, context) => new psoc6.Psoc6Peri(spec, context),
  'psoc6-flashc': (spec, context) => new psoc6.Psoc6Flashc(spec, context),
  'psoc6-gpio': (spec) => new psoc6System.Psoc6Gpio(spec),
  'psoc6-ipc': (spec, context) => new psoc6System.Psoc6Ipc(spec, context),
  'psoc6-prot': (spec) => new RegisterDevice(spec.name, spec.base, psoc6System.protTable),
  'psoc6-backup': (spec, context) => new psoc6System.Psoc6Backup(spec, context),
  'psoc6-tcpwm32': (spec, context) => new Psoc6Tcpwm(spec, context, 32, 8),
  'psoc6-tcpwm16': (spec, context) => new Psoc6Tcpwm(spec, context, 16, 24),
  'psoc6-hsiom': (spec) => new RegisterDevice(spec.name, spec.base, psoc6.hsiomTable),
  'psoc6-scb': (spec, context) => new Psoc6Scb(spec, context),
};
