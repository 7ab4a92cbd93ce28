/** Rules of `flashDriver`, each with a board that breaks it. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseBoard } from '../../boards/load.ts';

const kit = readFileSync(new URL('../../boards/nrf52840dk.json', import.meta.url), 'utf8');

it.each([
  [
    'a flash driver without its controller',
    '"flashDriver": { "kind": "nrf52-nvmc"',
    '"flashDriver": { "kind": "stm32f4-flash"',
    /flashDriver "stm32f4-flash" needs a peripheral of that kind/,
  ],
  ['pages that do not fill the flash', '"pageBytes": 4096', '"pageBytes": 4095', /pageBytes 4095 does not divide/],
  ['pages with no room for a program', '"pageBytes": 4096', '"pageBytes": 524288', /pageBytes 524288 does not divide/],
] as const)('refuses %s', (_, from, to, message) => {
  expect(kit).toContain(from);
  expect(() => parseBoard(kit.replace(from, to), 'x.json')).toThrow(message);
});
