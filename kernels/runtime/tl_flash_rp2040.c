/* SPDX-License-Identifier: MIT
 * RP2040: the serial flash by the boot ROM's functions (data sheet 2.8.3.1.3), pages of 256 bytes, sectors of 4 KiB.
 * Meanwhile nothing can be read from flash: what runs then lies in RAM, with interrupts off. Afterwards the serial
 * interface has what our second boot stage has set (4.10), plain reads. */
#include "tl_flash.h"

#define FLASH_START 0x10000000U
#define SECTOR_BYTES 4096U
#define PAGE_BYTES 256U
#define BLOCK_BYTES 65536U
#define BLOCK_ERASE 0xD8U

#define SSI_CTRLR0 TL_REGISTER(0x18000000U)
#define SSI_CTRLR1 TL_REGISTER(0x18000004U)
#define SSI_SSIENR TL_REGISTER(0x18000008U)
#define SSI_BAUDR TL_REGISTER(0x18000014U)
#define SSI_SPI_CTRLR0 TL_REGISTER(0x180000F4U)

/* Halfwords of the boot ROM: its table of functions, and the function that looks one up by two letters. */
#define ROM_FUNCTIONS 0x14U
#define ROM_LOOKUP 0x18U

typedef struct {
    void (*connect)(void);
    void (*exit_xip)(void);
    void (*erase)(uint32_t offset, uint32_t bytes, uint32_t block_bytes, uint8_t block_command);
    void (*program)(uint32_t offset, const uint8_t *data, uint32_t bytes);
    void (*flush_cache)(void);
} rom_functions;

typedef void *(*rom_lookup)(const uint16_t *table, uint32_t code);

/* Volatile: the compiler takes a known address as low as these for a null pointer. */
static uintptr_t rom_halfword(uintptr_t address)
{
    volatile uintptr_t at = address;
    return *(const uint16_t *)at;
}

static void *function(char first, char second)
{
    const rom_lookup look_up = (rom_lookup)rom_halfword(ROM_LOOKUP);
    return look_up((const uint16_t *)rom_halfword(ROM_FUNCTIONS),
                   (uint32_t)(uint8_t)first | (uint32_t)(uint8_t)second << 8);
}

/* From exit_xip to the end flash is out of reach. The stack is in RAM. @param page NULL: erase */
__attribute__((section(".data.tl_flash"), noinline)) static void
tl_flash_in_ram(const rom_functions *rom, uint32_t offset, uint32_t bytes, const uint8_t *page)
{
    const uint32_t ctrlr0 = SSI_CTRLR0;
    const uint32_t ctrlr1 = SSI_CTRLR1;
    const uint32_t baudr = SSI_BAUDR;
    const uint32_t spi_ctrlr0 = SSI_SPI_CTRLR0;
    rom->connect();
    rom->exit_xip();
    if (page == NULL) {
        rom->erase(offset, bytes, BLOCK_BYTES, BLOCK_ERASE);
    } else {
        rom->program(offset, page, bytes);
    }
    rom->flush_cache();
    SSI_SSIENR = 0;
    SSI_CTRLR0 = ctrlr0;
    SSI_CTRLR1 = ctrlr1;
    SSI_BAUDR = baudr;
    SSI_SPI_CTRLR0 = spi_ctrlr0;
    SSI_SSIENR = 1;
}

static void without_interrupts(uint32_t address, uint32_t bytes, const uint8_t *page)
{
    rom_functions rom;
    /* RAM is too far for a direct call. */
    void (*volatile far)(const rom_functions *, uint32_t, uint32_t, const uint8_t *) = tl_flash_in_ram;
    uint32_t primask;
    rom.connect = (void (*)(void))function('I', 'F');
    rom.exit_xip = (void (*)(void))function('E', 'X');
    rom.erase = (void (*)(uint32_t, uint32_t, uint32_t, uint8_t))function('R', 'E');
    rom.program = (void (*)(uint32_t, const uint8_t *, uint32_t))function('R', 'P');
    rom.flush_cache = (void (*)(void))function('F', 'C');
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(primask) : : "memory");
    far(&rom, address - FLASH_START, bytes, page);
    __asm volatile("msr primask, %0" : : "r"(primask) : "memory");
}

int32_t tl_flash_erase(void *part, uint32_t offset, uint32_t bytes)
{
    const uint32_t address = (uint32_t)(uintptr_t)part + offset;
    if ((address | bytes) % SECTOR_BYTES != 0) {
        return -1;
    }
    without_interrupts(address, bytes, NULL);
    return 0;
}

/* Erased bytes of the page stay erased: programming ones changes nothing. */
int32_t tl_flash_program(void *part, uint32_t offset, const uint8_t *unit)
{
    uint8_t page[PAGE_BYTES];
    const uint32_t address = (uint32_t)(uintptr_t)part + offset;
    memset(page, 0xFF, sizeof(page));
    memcpy(page + address % PAGE_BYTES, unit, 8);
    without_interrupts(address - address % PAGE_BYTES, PAGE_BYTES, page);
    return 0;
}
