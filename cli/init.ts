/** `thumbelina init`: a project to start from, with the JSON schema that lets an editor complete and check it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { Option, type Command } from 'commander';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { parseTrainConfig, trainConfigJsonSchema } from '../learn/deep/config.ts';
import { DEFAULT_BOARD } from './options.ts';
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
    .description(`write ${CONFIG}, a project from sensor to board, and its JSON schema`)
    .option('-o, --output <dir>', 'folder for both files', '.')
    .option('--name <name>', 'what the system is to be called', 'my_system')
    .addOption(
      new Option('--template <recipe>', 'activities from motion or words from sound').choices(TEMPLATES).default('har'),
    )
    .option('--data <folder>', 'data set of motion or sound')
    .option('--json', 'print JSON')
    .action((options: InitArguments) => {
      const [path, schemaPath] = [CONFIG, SCHEMA].map((name) => join(options.output, name)) as [string, string];
      const config = projectOf(options);
      if (existsSync(path)) throw new UserError(`${path}: exists already; remove it or choose another -o`);
      mkdirSync(options.output, { recursive: true });
      writeFileSync(path, `${JSON.stringify(config, null, 2).replace(/\[[^[\]{}]+\]/g, oneLine)}\n`);
      writeFileSync(schemaPath, `${JSON.stringify(trainConfigJsonSchema(), null, 2)}\n`);
      const document = { schemaVersion: 1, config: path, schema: schemaPath };
      print(options, document, () => nextSteps(path, schemaPath, options));
    });
}

/** Lists of names and numbers, as one reads them. */
const oneLine = (list: string): string => list.replace(/\s+/g, ' ').replace(/^\[ | \]$/g, (end) => end.trim());

interface Recipe {
  readonly data: { readonly kind: string; readonly folder: string };
  readonly deploy?: object;
}

/** The recipe, and what comes after training with every field, so that one sees what there is to choose. */
function projectOf({ template, name, data, output }: InitArguments): object {
  const recipe = JSON.parse(
    readFileSync(join(packageRoot(), 'models', 'recipes', `${template}.json`), 'utf8'),
  ) as Recipe;
  // Relative paths in a project begin where it lies.
  const given = data !== undefined && !isAbsolute(data) && existsSync(data) ? relative(output, data) || '.' : data;
  const folder = given ?? recipe.data.folder;
  // The recipe's noise is not beside other people's recordings.
  const noise = recipe.data.kind === 'audio' && data !== undefined ? { noise: null } : {};
  const own = { $schema: `./${SCHEMA}`, ...recipe, name, data: { ...recipe.data, folder, ...noise } };
  const later = { deploy: { detector: 'head', ...recipe.deploy }, quantization: {}, adaptation: {} };
  const { deploy, quantization, adaptation } = parseTrainConfig({ ...own, ...later }, '--name');
  return { ...own, deploy, quantization, adaptation, board: DEFAULT_BOARD };
}

function nextSteps(path: string, schema: string, { data, output }: InitArguments): string {
  const dir = output === '.' ? '' : ` -o ${join(output, 'build')}`;
  const step = (command: string, what: string): string =>
    `  thumbelina ${`${command} ${path}${dir}`.padEnd(44)} ${what}`;
  return [
    `wrote ${path} and ${schema}`,
    data === undefined
      ? 'next: data.folder is that of the recipe, write yours, and its classes (docs/project.md); then'
      : 'next: write the classes that are to be known into data.classes (docs/project.md); then',
    step('train', 'the network, deployed as a decision system'),
    step('quantize', 'deployed anew after a change of deploy or quantization, without training'),
    step('evaluate', 'how good it is on subjects it never saw; --on firmware: on the emulated board too'),
    step('run', 'decisions, cycles of every stage and memory on the emulated board'),
    step('adapt', 'its head learns on the emulated board from labelled windows of unseen subjects'),
    step('generate', 'C sources that make builds'),
  ].join('\n');
}
