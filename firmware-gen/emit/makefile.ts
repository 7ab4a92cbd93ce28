/** The emitted Makefile: builds the same image as we do, with make and arm-none-eabi-gcc alone. */
import type { Board } from '../../boards/schema.ts';
import { INCLUDE_FLAGS, WARNING_FLAGS, compileFlags, linkFlags } from './build-flags.ts';

export function makefile(board: Board, sources: readonly string[]): string {
  return `# Builds firmware.elf and firmware.bin for ${board.name}. CROSS_COMPILE selects another toolchain prefix.
CROSS_COMPILE ?= arm-none-eabi-
CC := $(CROSS_COMPILE)gcc
OBJCOPY := $(CROSS_COMPILE)objcopy
SIZE := $(CROSS_COMPILE)size

CFLAGS := ${compileFlags(board).join(' ')} \\
          ${WARNING_FLAGS.join(' ')} -fstack-usage
CPPFLAGS := ${INCLUDE_FLAGS.join(' ')}
LDFLAGS := ${linkFlags(board).join(' ')}

SOURCES := ${[...sources].sort().join(' \\\n           ')}
OBJECTS := $(SOURCES:%.c=build/%.o)

all: firmware.elf firmware.bin

firmware.elf: $(OBJECTS) linker.ld
	$(CC) $(LDFLAGS) $(OBJECTS) -lm -o $@
	$(SIZE) $@

firmware.bin: firmware.elf
	$(OBJCOPY) -O binary $< $@

build/%.o: %.c
	@mkdir -p $(dir $@)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -c $< -o $@

clean:
	rm -rf build firmware.elf firmware.bin firmware.map

-include $(OBJECTS:.o=.d)

.PHONY: all clean
`;
}
