/** What an inference costs in energy, and how long a battery lasts: estimates from currents that the vendor publishes, not a measurement. */
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';

export interface DutyCycle {
  readonly batteryMah: number;
  /** One inference in so many seconds; the board sleeps in between. */
  readonly periodS: number;
}

export interface EnergyReport {
  readonly kind: 'estimate';
  readonly microjoulesPerInference: number;
  readonly activeMicroamps: number;
  /** Null where no source gives one. */
  readonly sleepMicroamps: number | null;
  readonly supplyVolts: number;
  /** Null unless a duty cycle was given. */
  readonly battery: (DutyCycle & { readonly averageMicroamps: number; readonly days: number }) | null;
  readonly source: string;
}

/**
 * @param latencyMs of one inference; null when cycles are not known
 * @returns null when the latency is not known or the board has no figures
 * @throws UserError when a battery's life is asked for and the board lacks a current, or an inference takes longer than the period
 */
export function energyOf(board: Board, latencyMs: number | null, duty: DutyCycle | null): EnergyReport | null {
  const { power } = board;
  const sleepUa = power?.sleep?.microamps ?? null;
  if (duty !== null && sleepUa === null)
    throw new UserError(
      `--battery-mah: boards/${board.name}.json has no ${power ? 'power.sleep' : 'power'}, as no source was found; add it with its source`,
    );
  if (power === undefined || latencyMs === null) return null;
  const activeMicroamps = (power.activeUaPerMhz * board.clockHz) / 1e6;
  return {
    kind: 'estimate',
    microjoulesPerInference: (activeMicroamps * power.supplyV * latencyMs) / 1e3,
    activeMicroamps,
    sleepMicroamps: sleepUa,
    supplyVolts: power.supplyV,
    battery: duty === null || sleepUa === null ? null : batteryLife(activeMicroamps, sleepUa, latencyMs / 1e3, duty),
    source: power.source,
  };
}

/** Current of sensors, the wake-up and the battery's self-discharge are left out: the real life is shorter. */
function batteryLife(
  activeUa: number,
  sleepUa: number,
  latencyS: number,
  duty: DutyCycle,
): NonNullable<EnergyReport['battery']> {
  if (latencyS > duty.periodS)
    throw new UserError(
      `--period-s ${duty.periodS}: an inference takes ${latencyS.toFixed(3)} s; give a period that is longer`,
    );
  const average = averageMicroamps(activeUa, sleepUa, latencyS / duty.periodS);
  return { ...duty, averageMicroamps: average, days: (duty.batteryMah * 1e3) / average / 24 };
}

/** @param awake share of the time, 0..1 */
export function averageMicroamps(activeUa: number, sleepUa: number, awake: number): number {
  return activeUa * awake + sleepUa * (1 - awake);
}

/** For tables, e.g. "43.6 uJ (estimate)". */
export function formatEnergy({ microjoulesPerInference, battery }: EnergyReport): string {
  const life =
    battery === null
      ? ''
      : `; ${battery.days.toFixed(0)} days from ${battery.batteryMah} mAh at one inference in ${battery.periodS} s`;
  return `${microjoulesPerInference.toPrecision(3)} uJ per inference${life} (estimate)`;
}
