/** Recordings that a decision system is fitted to, judged on or fed with: by what subjects do in its project, or a split of a data set. */
import { UserError } from '../common/errors.ts';
import { isMotion } from '../learn/deep/config.ts';
import type { Role } from '../learn/deep/splits.ts';
import { loadRoleData, loadSystemData, type SystemData } from '../learn/ood/system-data.ts';
import { withFolders, type SystemTarget } from './project.ts';

/** The split of a data set that stands for a role where there is no project. */
const SPLIT = { train: 'train', validation: 'val', unseen: 'val' } as const satisfies Record<Role, string>;

export interface DataOptions {
  /** Of a project it has gone into the configuration already. */
  readonly data?: string;
  readonly split?: string;
}

/** @throws UserError when there are none, or nobody says where */
export function systemData({ loaded, project, path }: SystemTarget, options: DataOptions, role: Role): SystemData {
  const { system } = loaded;
  const { split } = options;
  if (project !== null) {
    const config = withFolders(project);
    if (split === undefined) return loadRoleData(system, config, role);
    return loadSystemData(system, config.data.folder, split, isMotion(config) ? config.data.average : 1);
  }
  if (options.data === undefined) throw new UserError(`${path}: a system names no data set; give --data`);
  return loadSystemData(system, options.data, split ?? SPLIT[role]);
}

/** Labels that are neither a class nor were learned as the class "unknown". */
export function strangeLabels({ loaded }: SystemTarget, labels: readonly string[]): string[] {
  const { classes, taught = [] } = loaded.system;
  return labels.filter((label) => !classes.includes(label) && !taught.includes(label));
}
