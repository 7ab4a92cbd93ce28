/** Folded stacks: one line per path, frames joined by semicolons, then the cycles at its end; what flamegraph.pl and speedscope read. */
import { pathOf, walk, type ContextTree } from './context-tree.ts';

/** The weights of all lines sum up to the cycles of the run. */
export function formatFolded({ roots }: ContextTree): string {
  const lines: string[] = [];
  for (const node of walk(roots))
    if (node.self > 0) lines.push(`${pathOf(node).map(frameName).join(';')} ${node.self}\n`);
  return lines.join('');
}

/** A name may hold neither the separator nor a line's end. */
function frameName(label: string): string {
  return label.replaceAll(/[;\r\n]/g, '_');
}
