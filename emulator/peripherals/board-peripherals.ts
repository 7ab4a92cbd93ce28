/** The devices of a board: those of its core, and those of its chip as the board description lists them. */
import type { Board } from '../../boards/schema.ts';
import { defined, UserError } from '../../common/errors.ts';
import { coreOf } from '../cores/core.ts';
import { isMainline, isV8 } from '../cores/core-facts.ts';
import { exceptionFeatures } from '../exceptions/exception-features.ts';
import { BaselineControlBlock } from './baseline-control-block.ts';
import { Dwt } from './dwt.ts';
import { Fpb } from './fpb.ts';
import { Itm, tpiu } from './itm.ts';
import { MpuRegisters } from './mpu-registers.ts';
import { Nvic } from './nvic.ts';
import { debugUnits } from './debug-units.ts';
import { deviceCatalogue } from './device-catalogue.ts';
import type { DeviceContext } from './device-context.ts';
import type { ExceptionHost, Peripheral } from './peripheral.ts';
import { RegisterDevice } from './register-device.ts';
import { SystemControlBlock } from './system-control-block.ts';
import { SystemControl } from './system-control.ts';
import { SysTick } from './systick.ts';

/** Devices of the core, then those of the chip. Ordered: the bus takes the first that covers an address, and SysTick lies inside the SCS. */
export function boardPeripherals(board: Board, context: DeviceContext): Peripheral[] {
  return [...corePeripherals(board, context), ...chipPeripherals(board, context)];
}

function corePeripherals(board: Board, { host, itm }: DeviceContext): Peripheral[] {
  const core = coreOf(board);
  const { exceptions } = host;
  const control = exceptions === null ? new SystemControl(host, board.fpu !== 'none') : controlBlock(board, exceptions);
  const nvic =
    exceptions === null ? [] : [new Nvic(exceptions, core.architecture !== 'v6-m'), new MpuRegisters(exceptions)];
  const traceEnabled = (): boolean => control.traceEnabled();
  const units = debugUnits[core.name];
  const dwt = new Dwt(host, traceEnabled, { ...units.dwt, isV8: isV8(core), hasCycleCounter: isMainline(core) });
  if (control instanceof SystemControlBlock) control.onTraceChange = () => dwt.updateWatchpoints();
  const trace = isMainline(core) ? [new Itm(host, { isV8: isV8(core), traceEnabled, line: itm }), tpiu()] : [];
  return [new SysTick(host), ...nvic, control, dwt, new Fpb(host, units.fpb), ...trace];
}

/** @throws UserError for an enable bit that the chip does not have */
function chipPeripherals(board: Board, context: DeviceContext): Peripheral[] {
  const devices = new Map(board.peripherals.map((spec) => [spec.name, deviceCatalogue[spec.kind](spec, context)]));
  for (const { name, enabledBy } of board.peripherals) {
    if (enabledBy !== undefined) gate(board, devices, name, enabledBy);
  }
  return [...devices.values()];
}

/** @param enabledBy PERIPHERAL.REGISTER.BIT */
function gate(board: Board, devices: ReadonlyMap<string, Peripheral>, name: string, enabledBy: string): void {
  const [controller = '', register = '', bit = ''] = enabledBy.split('.');
  const owner = devices.get(controller);
  if (!(owner instanceof RegisterDevice) || !owner.has(register))
    throw new UserError(
      `board ${board.name}: ${name} is enabled by ${enabledBy}, a register that this chip does not have`,
    );
  const isEnabled = (): boolean => owner.bit(register, Number(bit));
  Object.assign(defined(devices.get(name), name), { isEnabled, enabledBy });
}

function controlBlock(board: Board, exceptions: ExceptionHost): SystemControlBlock {
  const model = coreOf(board);
  const { cpuid, mvfr, interruptLines } = model;
  const { hasFpu, configurationOnes, configurationExtra } = exceptionFeatures(model);
  const options = {
    hasFpu,
    configurationOnes,
    configurationExtra,
    cpuid,
    mvfr,
    interruptWords: Math.ceil(interruptLines / 32) - 1,
    vectorTable: board.vectorTable ?? board.memory.find(({ kind }) => kind === 'flash')?.start ?? 0,
  };
  return isMainline(model)
    ? new SystemControlBlock(exceptions, options)
    : new BaselineControlBlock(exceptions, options, model);
}
