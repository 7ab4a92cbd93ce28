/** `thumbelina init`: a training configuration to start from, with the JSON schema that lets an editor complete and check it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { parseTrainConfig, trainConfigJsonSchema } from '../learn/deep/config.ts';
import { print, type JsonOption } from './output.ts';

const CONFIG = 'thumbelina.json';
const TEMPLATES = ['har', 'kws'];
const SCHEMA = 'thumbelina.schema.json';

interface InitArguments extends JsonOption {
  readonly output: string;
  readonly name: string;
  readonly template: string;
  readonly data?: string;
}

export function addInit(program: Command): void {
  program
    .command('init')
    .description(`write ${CONFIG}, a training configuration, and its JSON schema`)
    .option('-o, --output <dir>', 'folder for both files', '.')
    .option('--name <name>', 'what the system is to be called', 'my_system')
    .addOption(
      new Option('--template <recipe>', 'activities from motion or words from sound').choices(TEMPLATES).default('har'),
    )
    .option('--data <folder>', 'data set of motion or sound')
    .option('--json', 'print JSON')
    .action((options: InitArguments) => {
      const recipe = JSON.parse(
        readFileSync(join(packageRoot(), 'models', 'recipes', `${options.template}.json`), 'utf8'),
      ) as {
        data: { folder: string };
      };
      const folder = options.data ?? recipe.data.folder;
      const config = { $schema: `./${SCHEMA}`, ...recipe, name: options.name, data: { ...recipe.data, folder } };
      parseTrainConfig(config, '--name');
      const [path, schemaPath] = [CONFIG, SCHEMA].map((name) => join(options.output, name)) as [string, string];
      if (existsSync(path)) throw new UserError(`${path}: exists already; remove it or choose another -o`);
      mkdirSync(options.output, { recursive: true });
      writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`);
      writeFileSync(schemaPath, `${JSON.stringify(trainConfigJsonSchema(), null, 2)}\n`);
      const document = { schemaVersion: 1, config: path, schema: schemaPath };
      print(options, document, () => `wrote ${path} and ${schemaPath}; next: thumbelina train ${path}`);
    });
}
