/* SPDX-License-Identifier: MIT
 * Second boot stage of the RP2040: the boot ROM copies the first 256 bytes of flash to SRAM, checks their CRC-32 and
 * runs them (data sheet 2.8.1.3). It sets the serial flash interface (4.10) to reads by command 0x03 with 24 address
 * bits at a quarter of the system clock, which every flash chip understands, and enters the vector table behind it.
 * Armv6-M machine code of:
 *
 *     ldr r3, =XIP_SSI;  str 0, [SSIENR]; str 4, [BAUDR]
 *     str 0x001F0300, [CTRLR0]      32-bit frames, EEPROM read, standard SPI
 *     str 0x03000218, [SPI_CTRLR0]  command 0x03, 8 bits; address 24 bits
 *     str 0, [CTRLR1]; str 1, [SSIENR]
 *     ldr r0, =0x10000100; str r0, [VTOR]
 *     ldmia r0!, {r1, r2}; msr msp, r1; bx r2
 *
 * The last word is the CRC-32 of the other 252 bytes: polynomial 0x04C11DB7, seed all ones, most significant bit first.
 */
#include <stdint.h>

#define WORDS 64

__attribute__((section(".boot"), used)) static const uint32_t boot2[WORDS] = {
    0x21004B0AU,
    0x21046099U,
    0x49096159U,
    0x49096019U,
    0x501920F4U,
    0x60592100U,
    0x60992101U,
    0x49074806U,
    0xC8066008U,
    0x8808F381U,
    0x46C04710U,
    0x18000000U,
    0x001F0300U,
    0x03000218U,
    0x10000100U,
    0xE000ED08U,
    [WORDS - 1] = 0x7F8F9C5DU,
};
