/**
 * The one place where a project (thumbelina.json, learn/deep/config.ts) is read: what an argument names, its board, its data, and the decision
 * system that `train` made of it, which is refused when it was made of another configuration.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { loadSystem, type LoadedSystem } from '../harness/decision-system.ts';
import { readJsonFile } from '../harness/input-file.ts';
import { configurationId, parseTrainConfig, type TrainConfig } from '../learn/deep/config.ts';

export interface Project {
  /** As it was named: a file, or a built-in recipe. */
  readonly path: string;
  /** As written. */
  readonly config: TrainConfig;
  /** Where relative paths begin. */
  readonly folder: string;
}

/** A decision system to be built and run. */
export interface SystemTarget {
  readonly loaded: LoadedSystem;
  /** NAME.system.json. */
  readonly path: string;
  /** Null: the system itself was named. */
  readonly project: Project | null;
}

const builtInPath = (name: string): string => join(packageRoot(), 'models', 'recipes', `${name}.json`);
const isBuiltIn = (name: string): boolean => /^\w+$/.test(name) && existsSync(builtInPath(name));

/** A model's name ends otherwise. True for a project and for NAME.system.json. */
export function isProjectOrSystem(argument: string): boolean {
  return /\.json$/i.test(argument) || isBuiltIn(argument);
}

/** @param data folder in place of the configuration's, from the working folder. @throws UserError naming what is wrong with the file */
export function loadProject(argument: string, data?: string): Project {
  const path = isBuiltIn(argument) ? builtInPath(argument) : argument;
  const config = parseTrainConfig(readJsonFile(path, 'a project, as thumbelina init writes one'), path);
  if (config.board !== undefined) projectBoard(config.board, path, dirname(path));
  const folder = dirname(path);
  if (data === undefined) return { path: argument, config, folder };
  return { path: argument, config: { ...config, data: { ...config.data, folder: data } }, folder: '.' };
}

/** The configuration with folders that are there. @throws UserError naming the field and where it was looked for */
export function withFolders({ path, config, folder }: Project): TrainConfig {
  const { data } = config;
  const found = (field: string, written: string): string => {
    // Beside the project, from the working folder, and from the checkout, as the built-in recipes have it.
    const places = isAbsolute(written) ? [written] : [join(folder, written), written, join(packageRoot(), written)];
    const place = places.find((one) => existsSync(one) && statSync(one).isDirectory());
    if (place !== undefined) return place;
    throw new UserError(
      `${path}: data.${field}: no folder "${written}"${isAbsolute(written) ? '' : ` in ${resolve(folder)} or the working folder`}; correct the project or give --data`,
    );
  };
  if (data.kind === 'motion') return { ...config, data: { ...data, folder: found('folder', data.folder) } };
  const noise = data.noise === null ? null : found('noise', data.noise);
  return { ...config, data: { ...data, folder: found('folder', data.folder), noise } };
}

/** @param argument a project or NAME.system.json @param dir where `train` put the project's system */
export function loadSystemTarget(argument: string, dir: string, data?: string): SystemTarget {
  if (!isBuiltIn(argument) && isSystemFile(argument))
    return { loaded: loadSystem(argument), path: argument, project: null };
  const project = loadProject(argument, data);
  const path = join(dir, `${project.config.name}.system.json`);
  return { loaded: loadProjectSystem(project, dir), path, project };
}

/** By content, as both end in .json. */
function isSystemFile(path: string): boolean {
  const json = readJsonFile(path, 'a project or a system.json');
  return typeof json === 'object' && json !== null && 'encoder' in json && typeof json.encoder === 'string';
}

/** The system that `train` or `quantize` made of a project. @throws UserError when there is none, or one of another configuration */
export function loadProjectSystem({ path, config }: Project, dir: string): LoadedSystem {
  const file = join(dir, `${config.name}.system.json`);
  const remedy = `run thumbelina train ${path} -o ${dir}`;
  if (!existsSync(file)) throw new UserError(`${file}: no such file; ${remedy}`);
  const loaded = loadSystem(file);
  if (loaded.configuration === configurationId(config)) return loaded;
  throw new UserError(`${file}: was made of another configuration than ${path} is now; ${remedy}`);
}

/** An option --board goes before the project's field, that before the option's default. */
export function chooseBoard(project: Project | null, options: { readonly board: string }, command: Command): Board {
  const isGiven = command.getOptionValueSource('board') !== 'default';
  if (isGiven || project?.config.board === undefined) return loadBoard(options.board);
  return projectBoard(project.config.board, project.path, project.folder);
}

/** A description of one's own may lie beside the project. */
function projectBoard(name: string, path: string, folder: string): Board {
  const beside = join(folder, name);
  try {
    return loadBoard(name.endsWith('.json') && !isAbsolute(name) && existsSync(beside) ? beside : name);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${path}: board: ${error.message}`);
    throw error;
  }
}

/** Options that were given and mean nothing for the kind of argument are refused, not ignored. @param means by attribute name */
export function refuseOptions(command: Command, means: (name: string) => boolean, what: string): void {
  const other = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .find((option) => !means(option.attributeName()));
  if (other) throw new UserError(`${other.long ?? other.flags}: is not for ${what}; leave it out`);
}

/** Options that only some kinds of argument need, in commander's words. */
export function requireOptions(command: Command, names: readonly string[]): void {
  const missing = command.options.find(
    (option) =>
      names.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === undefined,
  );
  if (missing) command.error(`required option '${missing.flags}' not specified`);
}
