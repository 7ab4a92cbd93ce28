/** Rules of `bitBand`, each with a board that breaks it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseBoard } from '../../boards/load.ts';

const discovery = readFileSync(new URL('../../boards/stm32f4-discovery.json', import.meta.url), 'utf8');

it('refuses bit-band aliases on a core without them', () => {
  const text = discovery.replace('"cortex-m4"', '"cortex-m33"').replace('fpv4-sp-d16', 'fpv5-sp-d16');
  expect(() => parseBoard(text, 'x.json')).toThrow(/a cortex-m33 has no bit-band aliases/);
});

it('refuses a memory where an alias is', () => {
  const text = discovery.replace('"0x10000000"', '"0x22000000"');
  expect(() => parseBoard(text, 'x.json')).toThrow(
    /region CCM \(0x22000000\) lies inside the bit-band alias of the RAM/,
  );
});
