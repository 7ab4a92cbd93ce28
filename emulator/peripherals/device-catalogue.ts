/** Every kind of device a board description can name, and how it is made. */
import type { Board } from '../../boards/schema.ts';
import { CmsdkUart } from './cmsdk-uart.ts';
import type { DeviceContext, PeripheralSpec } from './device-context.ts';
import type { Peripheral } from './peripheral.ts';
import { RegisterDevice } from './register-device.ts';
import { Stm32Flash } from './stm32/flash-interface.ts';
import { Stm32Gpio } from './stm32/gpio.ts';
import * as l4 from './stm32/l4.ts';
import { Stm32Rcc } from './stm32/rcc.ts';
import { Stm32Timer } from './stm32/timer.ts';
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
};
