/** `thumbelina inspect`: what is in a model, and whether every op of it is supported. */
import type { Command } from 'commander';
import { UserError } from '../common/errors.ts';
import { formatInspect, inspectGraph } from '../firmware-gen/inspect.ts';
import { listUnsupported } from '../firmware-gen/passes/import.ts';
import { importModel, parseModelFile } from '../harness/model.ts';
import { print, type JsonOption } from './output.ts';

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('graph, ops, shapes, quantization, MACs, bytes; names what is not supported')
    .argument('<model>', '.tflite file')
    .option('--json', 'print JSON')
    .action((path: string, options: JsonOption) => {
      const parsed = parseModelFile(path);
      const unsupported = listUnsupported(parsed.model);
      if (unsupported.length > 0) {
        const named = unsupported.map(({ index, opcode, reason }) =>
          index < 0 ? reason : `op ${index} ${opcode}: ${reason}`,
        );
        throw new UserError(`${path}: not supported: ${named.join('; ')}`);
      }
      const report = inspectGraph(importModel(parsed).graph);
      print(options, report, () => formatInspect(report));
    });
}
