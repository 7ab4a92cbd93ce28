/** Graphs that are wrong as a whole, operators that have no importer, and the list of everything unsupported. */
import { describe, expect, it } from 'vitest';
import { importGraph, listUnsupported } from '../../firmware-gen/passes/import.ts';
import { tableDefaults, type TfliteModel } from '../../firmware-gen/tflite/schema.ts';
import { ModelBuilder, classifierModel, options, userErrorOf } from '../tflite/model-builder.ts';
import { messageFor, same } from './import-case.ts';

describe('importGraph refuses', () => {
  it('a custom operator, by its name', () => {
    const text = messageFor(({ b, y }) => {
      b.op('CUSTOM', [y], [same(b)]);
      b.codes[1] = { ...tableDefaults('OperatorCode'), builtinCode: 32, customCode: 'Frob\nnicate' };
    });
    expect(text).toMatch(/operator 1 CUSTOM: custom operator "Frob\?nicate" is not supported/);
  });

  it('an operator newer than the schema, by its code', () => {
    const text = messageFor(({ b, y }) => {
      b.op('RELU', [y], [same(b)]);
      b.codes[1] = { ...tableDefaults('OperatorCode'), builtinCode: 4000 };
    });
    expect(text).toMatch(/operator 1 #4000: operator is not supported/);
  });
});

describe('importGraph refuses a graph', () => {
  it('with two subgraphs', () => {
    const model = classifierModel();
    const two: TfliteModel = { ...model, subgraphs: [...(model.subgraphs ?? []), tableDefaults('SubGraph')] };
    expect(userErrorOf(() => importGraph(two, 'm'))).toMatch(/has 2 subgraphs, exactly 1/);
  });

  const chain = (wire: (b: ModelBuilder, t: readonly number[]) => TfliteModel): string => {
    const b = new ModelBuilder();
    return userErrorOf(() =>
      importGraph(
        wire(
          b,
          [0, 1, 2, 3].map(() => b.tensor({ shape: [2] })),
        ),
        'm',
      ),
    );
  };

  it('that reads an activation before it is written', () => {
    const text = chain((b, [x, y, z, w]) =>
      b.op('RELU', [x!], [y!]).op('RELU', [z!], [w!]).op('RELU', [y!], [z!]).model([x!], [w!]),
    );
    expect(text).toMatch(/op 1 RELU reads "t2" before anything writes it/);
  });

  it('that writes an activation twice', () => {
    const text = chain((b, [x, y]) => b.op('RELU', [x!], [y!]).op('RELU', [x!], [y!]).model([x!], [y!]));
    expect(text).toMatch(/op 1 RELU writes "t1", which is written already/);
  });

  it('that writes its input', () => {
    const text = chain((b, [x, y]) => b.op('RELU', [x!], [y!]).op('RELU', [y!], [x!]).model([x!], [y!]));
    expect(text).toMatch(/op 1 RELU writes "t0", which is written already/);
  });

  it('that writes a constant', () => {
    const text = chain((b, [x, y]) => {
      const constant = b.tensor({ shape: [2], data: new Int8Array(2) });
      return b.op('RELU', [x!], [y!]).op('RELU', [y!], [constant]).model([x!], [y!]);
    });
    expect(text).toMatch(/op 1 RELU writes "t4", which has constant data/);
  });

  it('whose second output is never written', () => {
    const text = chain((b, [x, y, z]) => b.op('RELU', [x!], [y!]).model([x!], [y!, z!]));
    expect(text).toMatch(/graph output "t2" is never written/);
  });

  it('whose second input is constant', () => {
    const text = chain((b, [x, y]) => {
      const constant = b.tensor({ shape: [2], data: new Int8Array(2) });
      return b.op('RELU', [x!], [y!]).model([x!, constant], [y!]);
    });
    expect(text).toMatch(/graph input "t4" has constant data/);
  });

  it('that lists an input twice', () => {
    const text = chain((b, [x, y]) => b.op('RELU', [x!], [y!]).model([x!, x!], [y!]));
    expect(text).toMatch(/graph input "t0" is listed twice/);
  });

  it('without inputs', () => {
    const text = chain((b) => b.model([], []));
    expect(text).toMatch(/has 0 inputs and 0 outputs/);
  });
});

describe('listUnsupported', () => {
  it('should name every operator at fault, in order', () => {
    const b = new ModelBuilder();
    const t = Array.from({ length: 5 }, () => b.tensor({ shape: [1, 2] }));
    b.op('RELU', [t[0]!], [t[1]!]).op('SIN', [t[1]!], [t[2]!]);
    b.op('RELU', [t[2]!], [t[3]!]).op('SOFTMAX', [t[3]!], [t[4]!], options('SoftmaxOptions'));
    const found = listUnsupported(b.model([t[0]!], [t[4]!]));
    expect(found.map(({ index, opcode }) => [index, opcode])).toEqual([
      [1, 'SIN'],
      [3, 'SOFTMAX'],
    ]);
    expect(found[1]?.reason).toMatch(/beta is 0/);
  });

  it('should be empty for a model that imports, and name the graph when only it is at fault', () => {
    const model = classifierModel();
    expect(listUnsupported(model)).toEqual([]);
    const [subgraph] = model.subgraphs ?? [];
    const cut: TfliteModel = { ...model, subgraphs: [{ ...subgraph!, outputs: [] }] };
    expect(listUnsupported(cut)).toEqual([expect.objectContaining({ index: -1, opcode: 'model' })]);
  });
});
