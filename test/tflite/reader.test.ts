/** parseTflite: every rule of the format has a file that breaks it; messages name the field, the byte and the value. */
import { describe, expect, it } from 'vitest';
import { operatorName, parseTflite } from '../../firmware-gen/tflite/reader.ts';
import { tableDefaults, type TfliteModel, type TfliteSubGraph } from '../../firmware-gen/tflite/schema.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { ModelBuilder, classifierModel, userErrorOf } from './model-builder.ts';

const valid = writeTflite(classifierModel());

function changed(edit: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = valid.slice();
  edit(new DataView(bytes.buffer), bytes);
  return bytes;
}

/** Position of the root table and of its vtable. */
function rootOf(bytes: Uint8Array): { readonly table: number; readonly vtable: number } {
  const view = new DataView(bytes.buffer);
  const table = view.getUint32(0, true);
  return { table, vtable: table - view.getInt32(table, true) };
}

/** Position of the offset in the root table's `slot`. */
function rootField(bytes: Uint8Array, slot: number): number {
  const { table, vtable } = rootOf(bytes);
  return table + new DataView(bytes.buffer).getUint16(vtable + 4 + 2 * slot, true);
}

const DESCRIPTION_SLOT = 3;
const SUBGRAPHS_SLOT = 2;

const BROKEN: readonly [title: string, message: RegExp, edit: (view: DataView, bytes: Uint8Array) => void][] = [
  ['a root offset of 0', /model at byte 0: offset 0 points at itself/, (view) => view.setUint32(0, 0, true)],
  ['a root outside the file', /model at byte 2147483647: .*outside/, (view) => view.setUint32(0, 0x7fffffff, true)],
  [
    'an unaligned root',
    /model at byte \d+: not aligned to 4/,
    (view, bytes) => view.setUint32(0, rootOf(bytes).table + 2, true),
  ],
  [
    'a vtable before the file',
    /model vtable at byte -\d+: 4 bytes reach outside/,
    (view, bytes) => view.setInt32(rootOf(bytes).table, 0x7ffffff0, true),
  ],
  [
    'a vtable behind the file',
    /model vtable at byte \d+: 4 bytes reach outside/,
    (view, bytes) => view.setInt32(rootOf(bytes).table, -0x7ffffff0, true),
  ],
  [
    'a vtable of odd size',
    /model vtable at byte \d+: size 7 is not an even number/,
    (view, bytes) => view.setUint16(rootOf(bytes).vtable, 7, true),
  ],
  [
    'a vtable longer than the file',
    /model vtable at byte \d+: 65534 bytes reach outside/,
    (view, bytes) => view.setUint16(rootOf(bytes).vtable, 65534, true),
  ],
  [
    'a table without room for its vtable offset',
    /inline size 3 is below 4/,
    (view, bytes) => view.setUint16(rootOf(bytes).vtable + 2, 3, true),
  ],
  [
    'a field outside its table',
    /model\.description at byte \d+: field of 4 bytes lies outside its table/,
    (view, bytes) => view.setUint16(rootOf(bytes).vtable + 4 + 2 * DESCRIPTION_SLOT, 5000, true),
  ],
  [
    'a field over the vtable offset',
    /model\.version at byte \d+: field of 4 bytes lies outside/,
    (view, bytes) => view.setUint16(rootOf(bytes).vtable + 4, 2, true),
  ],
  [
    'an unaligned field',
    /model\.description at byte \d+: not aligned to 4/,
    (view, bytes) => view.setUint16(rootOf(bytes).vtable + 4 + 2 * DESCRIPTION_SLOT, 6, true),
  ],
  [
    'a vector longer than the file',
    /model\.subgraphs \(1073741825 elements\) at byte/,
    (view, bytes) => {
      const at = rootField(bytes, SUBGRAPHS_SLOT);
      view.setUint32(at + view.getUint32(at, true), 0x40000001, true);
    },
  ],
  [
    'a vector that refers to itself',
    /model\.subgraphs.* at byte \d+: /,
    (view, bytes) => {
      const at = rootField(bytes, SUBGRAPHS_SLOT);
      view.setUint32(at, 0, true);
    },
  ],
  [
    'a string without end',
    /model\.description at byte \d+: string of 3 bytes has no terminating zero/,
    (view, bytes) => {
      const at = rootField(bytes, DESCRIPTION_SLOT);
      view.setUint32(at + view.getUint32(at, true), 3, true);
    },
  ],
];

describe('parseTflite refuses', () => {
  it.each(BROKEN)('%s', (_title, message, edit) => {
    expect(userErrorOf(() => parseTflite(changed(edit)))).toMatch(message);
  });

  it.each([0, 1, 7])('a file of %i bytes', (length) => {
    expect(userErrorOf(() => parseTflite(valid.slice(0, length)))).toMatch(/not a TFLite file: \d bytes/);
  });

  it.each(['TFL2', 'tfl3', '\0\0\0\0', 'ELF\n', 'GGUF'])('the identifier %j', (identifier) => {
    const bytes = changed((_view, out) => out.set(Buffer.from(identifier, 'latin1'), 4));
    expect(userErrorOf(() => parseTflite(bytes))).toMatch(/identifier at byte 4 is ".{4}", "TFL3" expected/);
  });

  it('another schema version', () => {
    const bytes = writeTflite({ ...classifierModel(), version: 4 });
    expect(userErrorOf(() => parseTflite(bytes))).toMatch(/schema version 4 is not supported/);
  });

  it('a field the schema does not know', () => {
    // OperatorCode has 4 slots. The vtable of the options of SOFTMAX (one slot) is what a longer table looks like to a table of none.
    const b = new ModelBuilder();
    const t = b.tensor({ shape: [1] });
    b.op('SOFTMAX', [t], [t], { type: 'SoftmaxOptions', value: { beta: 1 } });
    const bytes = writeTflite(b.model([t], [t]));
    const softmaxOptions = 9;
    const padOptions = 22;
    const at = bytes.indexOf(softmaxOptions);
    const candidates = [...bytes.keys()].filter((i) => i >= at && bytes[i] === softmaxOptions);
    const messages = candidates.map((i) => {
      const copy = bytes.slice();
      copy[i] = padOptions;
      try {
        parseTflite(copy);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(messages).toContainEqual(
      expect.stringMatching(
        /newer than this reader: .*builtinOptions \(PadOptions\) at byte \d+ has a field in slot 0, 0 are known/,
      ),
    );
  });
});

type Change = (
  graph: TfliteSubGraph,
  model: TfliteModel,
) => { graph?: Partial<TfliteSubGraph>; model?: Partial<TfliteModel> };

/** The model with its last operator or tensor changed: never the first one. */
function withChange(change: Change): Uint8Array {
  const model = classifierModel();
  const graph = model.subgraphs?.[0] ?? tableDefaults('SubGraph');
  const { graph: newGraph, model: newModel } = change(graph, model);
  return writeTflite({ ...model, subgraphs: [{ ...graph, ...newGraph }], ...newModel });
}

const lastChanged = <T>(list: readonly T[] | null, values: Partial<T>): T[] =>
  (list ?? []).map((item, i, all) => (i === all.length - 1 ? { ...item, ...values } : item));

const INDICES: readonly [title: string, message: RegExp, change: Change][] = [
  [
    'a tensor',
    /operators\[4\]\.inputs\[0\] is 99, the model has 10 tensors/,
    (g) => ({ graph: { operators: lastChanged(g.operators, { inputs: [99] }) } }),
  ],
  [
    'a negative tensor',
    /operators\[4\]\.inputs\[0\] is -2, /,
    (g) => ({ graph: { operators: lastChanged(g.operators, { inputs: [-2] }) } }),
  ],
  [
    'an absent output',
    /operators\[4\]\.outputs\[0\] is -1, /,
    (g) => ({ graph: { operators: lastChanged(g.operators, { outputs: [-1] }) } }),
  ],
  [
    'an intermediate',
    /operators\[4\]\.intermediates\[1\] is 10, /,
    (g) => ({ graph: { operators: lastChanged(g.operators, { intermediates: [-1, 10] }) } }),
  ],
  [
    'an operator code',
    /operators\[4\]\.opcodeIndex is 5, the model has 5 operator codes/,
    (g) => ({ graph: { operators: lastChanged(g.operators, { opcodeIndex: 5 }) } }),
  ],
  [
    'a huge operator code',
    /opcodeIndex is 4294967295, /,
    (g) => ({ graph: { operators: lastChanged(g.operators, { opcodeIndex: 0xffffffff }) } }),
  ],
  [
    'a buffer',
    /tensors\[9\]\.buffer is 44, the model has 5 buffers/,
    (g) => ({ graph: { tensors: lastChanged(g.tensors, { buffer: 44 }) } }),
  ],
  ['a graph input', /inputs\[1\] is 10, /, () => ({ graph: { inputs: [0, 10] } })],
  ['a graph output', /outputs\[1\] is -1, /, () => ({ graph: { outputs: [8, -1] } })],
  [
    'a metadata buffer',
    /metadata\[1\]\.buffer is 7, /,
    (_g, m) => ({ model: { metadata: [...(m.metadata ?? []), { name: 'x', buffer: 7 }] } }),
  ],
];

describe('parseTflite refuses an index out of range:', () => {
  it.each(INDICES)('%s', (_title, message, change) => {
    expect(userErrorOf(() => parseTflite(withChange(change)))).toMatch(message);
  });
});

describe('parseTflite', () => {
  it('should resolve a buffer appended behind the flatbuffer', () => {
    const appended = Uint8Array.of(9, 8, 7, 6);
    const build = (offset: number): Uint8Array => {
      const { buffers, ...model } = classifierModel();
      const last = { data: null, offset: BigInt(offset), size: 4n };
      return writeTflite({ ...model, buffers: [...(buffers ?? []).slice(0, -1), last] });
    };
    const head = build(build(1 << 20).length);
    const bytes = new Uint8Array([...head, ...appended]);
    expect(Array.from(parseTflite(bytes).buffers?.at(-1)?.data ?? [])).toEqual([9, 8, 7, 6]);
    expect(userErrorOf(() => parseTflite(head))).toMatch(/model\.buffers\[4\] lies at bytes \d+\.\.\d+, the file has/);
  });

  it('should refuse a buffer with inline and appended data', () => {
    const model = classifierModel();
    const buffers = lastChanged(model.buffers, { offset: 16n, size: 4n });
    expect(userErrorOf(() => parseTflite(writeTflite({ ...model, buffers })))).toMatch(
      /buffers\[4\] has both inline data/,
    );
  });

  it('should name operators, those newer than the schema by code', () => {
    const model = classifierModel();
    const codes = lastChanged(model.operatorCodes, { builtinCode: 5000 });
    const names = model.subgraphs?.[0]?.operators?.map((operator) =>
      operatorName({ ...model, operatorCodes: codes }, operator),
    );
    expect(names).toEqual(['CONV_2D', 'MAX_POOL_2D', 'RESHAPE', 'FULLY_CONNECTED', '#5000']);
  });
});
