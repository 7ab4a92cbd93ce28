/** 32-bit branches, special registers, barriers (DDI 0403E A5.3.4). */
import { cell, condition, constant, set, temporary, t, when, type Stmt } from './ir.ts';
import { register, setRegister, type Lifted, type Site } from './operands.ts';

function control(hw1: number, hw2: number, site: Site): Lifted {
  switch ((hw1 >> 4) & 0x7f) {
    case 0x38:
    case 0x39:
      return [
        {
          k: 'system',
          cell: temporary(0),
          fn: 'writeSpecial',
          args: [constant(hw2 & 0xff), register(hw1 & 0xf, site), constant((hw2 >> 10) & 3)],
        },
      ];
    case 0x3e:
    case 0x3f:
      return [
        { k: 'system', cell: temporary(0), fn: 'readSpecial', args: [constant(hw2 & 0xff)] },
        setRegister((hw2 >> 8) & 0xf, t(0)),
      ];
    case 0x3b:
      return ((hw2 >> 4) & 0xf) === 2 ? [set(cell.exclusiveOpen, constant(0))] : [];
    default:
      return [];
  }
}

export function liftBranchOrControl(hw1: number, hw2: number, target: number | null, site: Site): Lifted {
  if ((hw2 & 0x5000) === 0 && (hw1 & 0x0380) === 0x0380) return control(hw1, hw2, site);
  if (target === null) return null;
  const branch: Stmt = { k: 'branch', target: constant(target) };
  if ((hw2 & 0x1000) === 0) return [when(condition((hw1 >> 6) & 0xf), [branch])];
  if ((hw2 & 0x4000) === 0) return [branch];
  return [set(cell.lr, constant((site.address + 4) | 1)), branch];
}
