import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { energyOf, formatEnergy } from '../../harness/energy.ts';

describe('energy estimates', () => {
  const board = {
    ...loadBoard('core-m4'),
    clockHz: 100e6,
    power: { activeUaPerMhz: 100, sleep: { microamps: 5, mode: 'stop' }, supplyV: 3, source: 'made up' },
  };

  it('is current times voltage times latency', () => {
    // 10 mA at 3 V for 20 ms
    expect(energyOf(board, 20, null)).toMatchObject({ kind: 'estimate', microjoulesPerInference: 600, battery: null });
  });

  it('averages over the period, and gives the life of a battery', () => {
    const energy = energyOf(board, 20, { batteryMah: 220, periodS: 10 })!;
    const average = (10_000 * 0.02 + 5 * 9.98) / 10;
    expect(energy.battery?.averageMicroamps).toBeCloseTo(average, 9);
    expect(energy.battery?.days).toBeCloseTo(220e3 / average / 24, 9);
    expect(formatEnergy(energy)).toBe(
      '600 uJ per inference; 367 days from 220 mAh at one inference in 10 s (estimate)',
    );
  });

  it('gives no battery life where a current has no source', () => {
    const { sleep, ...active } = board.power;
    expect(sleep.mode).toBe('stop');
    const awake = { ...board, power: active };
    expect(energyOf(awake, 20, null)).toMatchObject({ microjoulesPerInference: 600, sleepMicroamps: null });
    const duty = { batteryMah: 220, periodS: 10 };
    expect(() => energyOf(awake, 20, duty)).toThrow(/core-m4\.json has no power\.sleep/);
    expect(() => energyOf(loadBoard('core-m4'), 20, duty)).toThrow(/core-m4\.json has no power,/);
  });

  it('is unknown without a latency or without figures, and refuses a period that is too short', () => {
    expect(energyOf(board, null, null)).toBe(null);
    expect(energyOf(loadBoard('core-m4'), 20, null)).toBe(null);
    expect(() => energyOf(board, 20, { batteryMah: 220, periodS: 0.01 })).toThrow(/--period-s 0.01.*0.020 s/);
  });
});
