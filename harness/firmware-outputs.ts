/** Many inputs through one emulated image: the outputs of each, one after the other. */
import { join } from 'node:path';
import type { Board } from '../boards/schema.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { compileModel } from './compile.ts';
import { EmulatedTarget } from './emulated-target.ts';
import type { SourceModel } from './model.ts';

export interface FirmwareOptions {
  readonly board: Board;
  readonly engine: EngineName;
  /** The image goes to a folder in it, named after the model. */
  readonly dir: string;
}

/** @param inputs bytes of the model's inputs, one entry per inference. @throws UserError as compileModel and EmulatedTarget do */
export async function firmwareOutputs(
  model: SourceModel,
  inputs: readonly (readonly Uint8Array[])[],
  { board, engine, dir }: FirmwareOptions,
): Promise<Uint8Array[]> {
  const compiled = await compileModel(model, join(dir, model.name), { board, bare: true, hooks: false, prune: true });
  const { identifier, plan, image, schedule } = compiled;
  const target = new EmulatedTarget(image.elf, board, { identifier, plan, graph: schedule.graph }, engine);
  try {
    return inputs.map((input) => Buffer.concat(target.infer(input).outputs));
  } finally {
    target.close();
  }
}
