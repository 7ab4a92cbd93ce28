/**
 * The C of a host test: many generated models in one program, each twice: with the plan that ships and with a plan that gives every tensor
 * and every scratch buffer poisoned surroundings, so that AddressSanitizer sees a kernel leave its buffer.
 */
import { defined } from '../../common/errors.ts';
import type { EmitOptions } from '../../firmware-gen/emit/index.ts';
import { emitC } from '../../firmware-gen/emit/index.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { tensorBytes, tensorOf } from '../../firmware-gen/ir/graph.ts';
import type { LowerOptions, MemoryPlan, Schedule } from '../../firmware-gen/ir/schedule.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';

const CANARY_BYTES = 64;
const CASES_PER_FILE = 25;
const EMIT: EmitOptions = { hooks: false, bare: true, modelSha256: '0'.repeat(64), version: 'test' };

export interface GraphCase {
  readonly graph: Graph;
  /** Little-endian bytes by position in graph.inputs. */
  readonly inputs: readonly Uint8Array[];
}

export interface HostSources {
  readonly tree: ReadonlyMap<string, string>;
  /** Generated files that are #included by others and not compiled by themselves. */
  readonly included: ReadonlySet<string>;
}

interface SpacedPlan {
  readonly plan: MemoryPlan;
  /** [start, end) of bytes that belong to nothing. */
  readonly gaps: readonly (readonly [number, number])[];
}

/** A plan in which buffers never share bytes and lie CANARY_BYTES apart; aliases stay aliases, in-place pairs are separate. */
export function spacedPlan(schedule: Schedule): SpacedPlan {
  const gaps: [number, number][] = [];
  let end = 0;
  const claim = (bytes: number): number => {
    const start = Math.ceil((end + CANARY_BYTES) / 8) * 8;
    gaps.push([end, start]);
    end = start + bytes;
    return start;
  };
  const tensorOffset = schedule.graph.tensors.map((): number | null => null);
  const aliasSource = new Map(schedule.aliases.map((alias) => [alias.output, alias.input]));
  const { graph } = schedule;
  const states = graph.dynamics?.states ?? [];
  for (const id of [...graph.inputs, ...states, ...graph.ops.flatMap((op) => op.outputs)]) {
    const source = aliasSource.get(id);
    const known = source === undefined ? tensorOffset[id] : tensorOffset[source];
    tensorOffset[id] = known ?? claim(tensorBytes(tensorOf(graph, id)));
  }
  const scratchOffset = schedule.calls.map((call) => (call.scratchBytes > 0 ? claim(call.scratchBytes) : null));
  claim(0);
  return { plan: { arenaBytes: end, tensorOffset, scratchOffset, peakCall: 0 }, gaps };
}

export function hostSources(cases: readonly GraphCase[], options: LowerOptions): HostSources {
  const tree = new Map<string, string>();
  const included = new Set<string>();
  const rows: string[] = [];
  const groups: string[][] = [];
  for (const [index, { graph }] of cases.entries()) {
    const name = `case${index}`;
    const schedule = lower({ ...graph, name }, options);
    const spaced = spacedPlan(schedule);
    if (index % CASES_PER_FILE === 0) groups.push([]);
    const group = defined(groups.at(-1), 'group');
    const variants = [
      { schedule, plan: planMemory(schedule), gaps: [] },
      { schedule: { ...schedule, graph: { ...schedule.graph, name: `${name}s` } }, ...spaced },
    ];
    for (const variant of variants) {
      const stem = variant.schedule.graph.name;
      for (const [path, text] of emitC(variant.schedule, variant.plan, EMIT)) tree.set(path, text);
      tree.delete(`${stem}_instance.c`);
      for (const file of [`${stem}.c`, `${stem}_weights.c`]) {
        included.add(file);
        group.push(`#include "${file}"`);
      }
      rows.push(tableRow(stem, graph, variant.gaps));
    }
  }
  for (const [index, lines] of groups.entries()) tree.set(`cases${index}.c`, `${lines.join('\n')}\n`);
  tree.set(
    'host_main.c',
    hostMain(
      cases.flatMap((_, index) => [`case${index}`, `case${index}s`]),
      rows,
    ),
  );
  return { tree, included };
}

function tableRow(stem: string, graph: Graph, gaps: SpacedPlan['gaps']): string {
  const sizes = (ids: Graph['inputs']): string =>
    `{${[...ids.map((id) => tensorBytes(tensorOf(graph, id))), 0].join(', ')}}`;
  const gapText = `(const gap[]){${[...gaps, [0, 0]].map(([start, end]) => `{${start}, ${end}}`).join(', ')}}`;
  const functions = ['invoke_at', 'input_at', 'output_at'].map((name) => `${stem}_${name}`).join(', ');
  const reset = graph.dynamics?.states.length ? `${stem}_reset_at` : 'NULL';
  const arrays = `(const size_t[])${sizes(graph.inputs)}, (const size_t[])${sizes(graph.outputs)}`;
  return `    {"${stem}", ${stem.toUpperCase()}_ARENA_BYTES, ${functions}, ${reset}, ${arrays}, ${gapText}},`;
}

/** Reads all inputs from argv[1], writes all outputs to argv[2]. Both plans and a second inference must agree. */
function hostMain(stems: readonly string[], rows: readonly string[]): string {
  return `#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
${stems.map((stem) => `#include "${stem}.h"`).join('\n')}

typedef struct {
    size_t start;
    size_t end;
} gap;

typedef struct {
    const char *name;
    size_t arena_bytes;
    int32_t (*invoke)(void *);
    void *(*input)(void *, int32_t);
    const void *(*output)(const void *, int32_t);
    void (*reset)(void *); /* NULL: keeps nothing */
    const size_t *input_bytes;  /* ends with 0 */
    const size_t *output_bytes; /* ends with 0 */
    const gap *gaps;            /* ends with {0, 0} */
} model;

static const model models[] = {
${rows.join('\n')}
};

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\\n", name, what);
    exit(1);
}

static void run_inference(const model *m, uint8_t *arena, const uint8_t *inputs, uint8_t *outputs)
{
    for (int32_t i = 0; m->input_bytes[i] > 0; ++i) {
        memcpy(m->input(arena, i), inputs, m->input_bytes[i]);
        inputs += m->input_bytes[i];
    }
    if (m->reset != NULL) {
        m->reset(arena);
    }
    if (m->invoke(arena) != 0) {
        fail("invoke returned an error", m->name);
    }
    for (int32_t i = 0; m->output_bytes[i] > 0; ++i) {
        memcpy(outputs, m->output(arena, i), m->output_bytes[i]);
        outputs += m->output_bytes[i];
    }
}

static size_t sum(const size_t *bytes)
{
    size_t total = 0;
    for (; *bytes > 0; ++bytes) {
        total += *bytes;
    }
    return total;
}

static void run_twice(const model *m, const uint8_t *inputs, uint8_t *first, uint8_t *second)
{
    uint8_t *arena = malloc(m->arena_bytes);
    memset(arena, 0xA5, m->arena_bytes);
    for (const gap *g = m->gaps; g->end > 0; ++g) {
        ASAN_POISON_MEMORY_REGION(arena + g->start, g->end - g->start);
    }
    run_inference(m, arena, inputs, first);
    run_inference(m, arena, inputs, second);
    if (memcmp(first, second, sum(m->output_bytes)) != 0) {
        fail("the second inference differs from the first", m->name);
    }
    ASAN_UNPOISON_MEMORY_REGION(arena, m->arena_bytes);
    free(arena);
}

int main(int argc, char **argv)
{
    FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
    if (in == NULL || out == NULL) {
        fail("cannot open the files", "host");
    }
    for (size_t at = 0; at < sizeof(models) / sizeof(models[0]); at += 2) {
        const size_t in_bytes = sum(models[at].input_bytes);
        const size_t out_bytes = sum(models[at].output_bytes);
        uint8_t *inputs = malloc(in_bytes + 1);
        uint8_t *outputs = malloc(3 * out_bytes + 1);
        if (fread(inputs, 1, in_bytes, in) != in_bytes) {
            fail("inputs are missing", models[at].name);
        }
        run_twice(&models[at], inputs, outputs, outputs + out_bytes);
        run_twice(&models[at + 1], inputs, outputs + out_bytes, outputs + 2 * out_bytes);
        if (memcmp(outputs, outputs + out_bytes, out_bytes) != 0) {
            fail("the result depends on the memory plan", models[at].name);
        }
        fwrite(outputs, 1, out_bytes, out);
        free(inputs);
        free(outputs);
    }
    fclose(in);
    return fclose(out);
}
`;
}
