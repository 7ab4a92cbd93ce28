/** <model>_instance.c: the short API, which remembers one arena; the only mutable variable of a generated model. */

/** @param model C identifier of the model @param opening comment at the top of the file @param isStateful see hasState */
export function instanceSource(model: string, opening: string, isStateful: boolean): string {
  const upper = model.toUpperCase();
  return [
    opening,
    `#include "${model}.h"`,
    '#include <stddef.h>\n',
    'static uint8_t *instance_arena;\n',
    `int32_t ${model}_init(void *arena)
{
    if (arena == NULL || (uintptr_t)arena % ${upper}_ARENA_ALIGNMENT != 0) {
        return -1;
    }
    instance_arena = (uint8_t *)arena;
${isStateful ? `    ${model}_reset_at(arena);\n` : ''}    return 0;
}

int32_t ${model}_invoke(void)
{
    return instance_arena == NULL ? -1 : ${model}_invoke_at(instance_arena);
}

void *${model}_input(int32_t index)
{
    return instance_arena == NULL ? NULL : ${model}_input_at(instance_arena, index);
}

const void *${model}_output(int32_t index)
{
    return instance_arena == NULL ? NULL : ${model}_output_at(instance_arena, index);
}
`,
  ].join('\n');
}
