/** The two-slot store on simulated NOR flash: power is cut at every erase and every program, whole or torn; a whole record is always there. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FORMS } from './op-cases.ts';
import { runProgram } from './run-program.ts';

const DATA_BYTES = 48;
const SLOT_BYTES = 128;
/** One erase, a program per 8 bytes of data and header. */
const OPERATIONS = 1 + (DATA_BYTES + 16) / 8;
/** How the interrupted operation leaves flash: untouched, half done, done but for one bit. */
const TEARS = 3;
const ROUNDS = 5;
/** What flash holds before. */
const CONTENTS = [0xff, 0x00, 0x5a];

/** Per tear, round and cut one byte: what is read after the reset (0 nothing, 1 the record before, 2 the new one), then whether the next write works. */
const source = `#include <string.h>
#include "tl_store.h"

typedef struct {
    uint8_t memory[${2 * SLOT_BYTES}];
    int32_t left; /* operations until the power goes; afterwards nothing happens any more */
    int32_t tear;
} part;

static int32_t powered(part *flash)
{
    return flash->left-- > 0;
}

static int32_t erase(void *context, uint32_t offset, uint32_t bytes)
{
    part *flash = (part *)context;
    const int32_t first = flash->left == 0;
    if (powered(flash) != 0) {
        memset(flash->memory + offset, 0xFF, bytes);
        return 0;
    }
    if (first != 0 && flash->tear == 1) {
        memset(flash->memory + offset, 0xFF, bytes / 2);
    } else if (first != 0 && flash->tear == 2) {
        memset(flash->memory + offset, 0xFF, bytes);
        flash->memory[offset + bytes / 3] = 0xFE;
    }
    return -1;
}

static int32_t program(void *context, uint32_t offset, const uint8_t *unit)
{
    part *flash = (part *)context;
    const int32_t first = flash->left == 0;
    const int32_t whole = powered(flash);
    for (uint32_t i = 0; i < TL_STORE_UNIT; ++i) {
        uint8_t byte = unit[i];
        if (whole == 0 && (first == 0 || flash->tear == 0 || (flash->tear == 1 && i >= TL_STORE_UNIT / 2))) {
            continue;
        }
        if (whole == 0 && flash->tear == 2 && i == 4) {
            /* the lowest bit that should become 0 does not */
            byte |= (uint8_t)(byte + 1U);
        }
        /* NOR flash: bits only go from 1 to 0 */
        flash->memory[offset + i] &= byte;
    }
    return whole != 0 ? 0 : -1;
}

static void fill(uint8_t *data, int32_t round)
{
    for (int32_t i = 0; i < ${DATA_BYTES}; ++i) {
        data[i] = (uint8_t)(round * 37 + i * 11 + 1);
    }
}

static uint8_t held(const tl_store_flash *flash, int32_t before, int32_t now)
{
    uint8_t data[${DATA_BYTES}];
    const void *found = tl_store_read(flash, ${DATA_BYTES});
    if (found == NULL) {
        return 0;
    }
    fill(data, now);
    if (memcmp(found, data, sizeof(data)) == 0) {
        return 2;
    }
    fill(data, before);
    return memcmp(found, data, sizeof(data)) == 0 ? 1 : 3;
}

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    static part chip;
    const tl_store_flash flash = {erase, program, &chip, chip.memory, ${SLOT_BYTES}};
    uint8_t data[${DATA_BYTES}];
    for (int32_t tear = 0; tear < ${TEARS * CONTENTS.length}; ++tear) {
        for (int32_t rounds = 0; rounds < ${ROUNDS}; ++rounds) {
            for (int32_t cut = 0; cut <= ${OPERATIONS}; ++cut) {
                memset(chip.memory, input[tear / ${TEARS}], sizeof(chip.memory));
                chip.tear = tear % ${TEARS};
                chip.left = 1000000;
                for (int32_t round = 1; round <= rounds; ++round) {
                    fill(data, round);
                    tl_store_write(&flash, data, ${DATA_BYTES});
                }
                chip.left = cut;
                fill(data, rounds + 1);
                tl_store_write(&flash, data, ${DATA_BYTES});
                *output++ = held(&flash, rounds, rounds + 1);
                chip.left = 1000000;
                fill(data, 99);
                *output++ = tl_store_write(&flash, data, ${DATA_BYTES}) == 0 && held(&flash, 0, 99) == 2;
            }
        }
    }
    const uint32_t crc = tl_crc32(tl_crc32(0, input, 3), input + 3, 5);
    memcpy(output, &crc, 4);
}
`;

describe.each(FORMS)('the two-slot store, %s', (form) => {
  it('should survive a cut at every write, whatever flash held before', async () => {
    const input = Uint8Array.from([...CONTENTS, 3, 4, 5, 6, 7]);
    const cases = CONTENTS.length * TEARS * ROUNDS * (OPERATIONS + 1);
    const { output } = await runProgram({ source, input, outputBytes: 2 * cases + 4 }, form);
    for (let i = 0; i < cases; i += 1) {
      const cut = i % (OPERATIONS + 1);
      const rounds = Math.floor(i / (OPERATIONS + 1)) % ROUNDS;
      const expected = cut === OPERATIONS ? 2 : rounds === 0 ? 0 : 1;
      expect(output[2 * i], `cut ${cut} after ${rounds} writes`).toBe(expected);
      expect(output[2 * i + 1], `the write after cut ${cut}`).toBe(1);
    }
    expect(new Uint32Array(output.slice(2 * cases).buffer)[0]).toBe(crc32(input));
  });
});
