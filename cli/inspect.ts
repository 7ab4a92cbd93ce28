/** `thumbelina inspect`: what is in a model, and whether every op of it is supported. */
import type { Command } from 'commander';
import { UserError } from '../common/errors.ts';
import { formatInspect, inspectGraph } from '../firmware-gen/inspect.ts';
import { listUnsupported } from '../firmware-gen/passes/import.ts';
import { importModel, parseModelFile } from '../harness/model.ts';
import { compareModels, formatComparison, type CompareOptions } from './compare.ts';
import { nonNegativeInteger } from './options.ts';
import { print, type JsonOption } from './output.ts';

type InspectArguments = JsonOption & Omit<CompareOptions, 'compare'> & { readonly compare?: string };

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description('graph, ops, shapes, quantization, MACs, bytes; names what is not supported')
    .argument('<model>', '.tflite file')
    .option(
      '--compare <float>',
      'compare MODEL with this float model, layer by layer: --compare FLOAT QUANT --data DIR',
    )
    .option('--data <data>', 'samples for --compare (docs/data-sets.md)')
    .option('--samples <count>', 'how many of them', nonNegativeInteger, 16)
    .option('--seed <seed>', 'which of them', nonNegativeInteger, 1)
    .option('--split <name>', 'of the data set (default: all but train)')
    .option('--pipeline <file>', 'pre-processing (default: MODEL.pipeline.json beside either model)')
    .option('--json', 'print JSON')
    .action((path: string, { compare, ...options }: InspectArguments) => {
      if (compare !== undefined) {
        const report = compareModels(path, { ...options, compare });
        print(options, report, () => formatComparison(report));
        return;
      }
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
