/** WebAssembly binary format: the module around one function. */
import { I32, I64, unsignedLeb } from './wasm-writer.ts';

const section = (id: number, content: readonly number[]): number[] => {
  const out = [id];
  unsignedLeb(content.length, out);
  out.push(...content);
  return out;
};

const name = (text: string): number[] => [text.length, ...[...text].map((letter) => letter.charCodeAt(0))];

/** Of a function that returns an i32. */
const signature = (parameters: readonly number[]): number[] => [0x60, parameters.length, ...parameters, 1, I32];

const CODE_SECTION = 10;

export interface LocalGroup {
  readonly count: number;
  readonly type: number;
}

export interface ModuleParts {
  /** Of the one exported function, `run`, which returns an i32. */
  readonly parameters: readonly number[];
  /** memory: `e.m`; table of functions: `e.t`; function: `e.f`, four i32 to i32, which is then function 0; timing: `e.t`, i64 and two i32 to i32; lines: `e.l`, three i32 to i32. */
  readonly imports: readonly ImportKind[];
  readonly body: Uint8Array;
  readonly locals: readonly LocalGroup[];
}

const importKinds = {
  memory: [...name('e'), ...name('m'), 2, 0, 0],
  table: [...name('e'), ...name('t'), 1, 0x70, 0, 0],
  function: [...name('e'), ...name('f'), 0, 2],
  timing: [...name('e'), ...name('t'), 0, 3],
  lines: [...name('e'), ...name('l'), 0, 4],
} as const;
type ImportKind = keyof typeof importKinds;
const NO_FUNCTIONS: ReadonlySet<ImportKind> = new Set(['memory', 'table']);

/** Types: 0 the exported function, 1 that of regions, (i32, i32) to i32, 2 four i32 to i32, 3 (i64, i32, i32) to i32, 4 three i32 to i32. */
export function wasmModule({ parameters, imports, body, locals }: ModuleParts): Uint8Array {
  const head: number[] = [];
  unsignedLeb(locals.length, head);
  for (const { count, type } of locals) {
    unsignedLeb(count, head);
    head.push(type);
  }
  const size: number[] = [];
  unsignedLeb(head.length + body.length, size);
  const types = [
    ...signature(parameters),
    ...signature([I32, I32]),
    ...signature([I32, I32, I32, I32]),
    ...signature([I64, I32, I32]),
    ...signature([I32, I32, I32]),
  ];
  const imported = [imports.length, ...imports.flatMap((kind) => importKinds[kind])];
  const out = [
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [5, ...types]),
    ...section(2, imported),
    ...section(3, [1, 0]),
  ];
  out.push(
    ...section(7, [1, ...name('run'), 0, imports.filter((kind) => !NO_FUNCTIONS.has(kind)).length]),
    CODE_SECTION,
  );
  // One function: its count, its size, its locals and its body.
  unsignedLeb(1 + size.length + head.length + body.length, out);
  out.push(1, ...size, ...head);
  const module = new Uint8Array(out.length + body.length);
  module.set(out);
  module.set(body, out.length);
  return module;
}
