/**
 * Whole newlib programs print the same on QEMU's mps2-an386 as here: integer, floating point, and DSP instructions on pseudo-random
 * operands. QEMU has no cycle model, so only results are compared. Q after SMLAD is left out: both derive from the same defect.
 */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { simulate } from '../../emulator/sim.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';
import { hasQemu, onQemu } from './support/on-qemu.ts';

const integers = `
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
static uint32_t state = 12345;
static uint32_t rnd(void) { state ^= state << 13; state ^= state >> 17; state ^= state << 5; return state; }
static int compare(const void *a, const void *b) { int x = *(const int *)a, y = *(const int *)b; return (x > y) - (x < y); }
int main(void) {
  static int values[500];
  for (int i = 0; i < 500; i++) values[i] = (int)rnd();
  qsort(values, 500, sizeof values[0], compare);
  uint32_t crc = ~0u;
  for (int i = 0; i < 500; i++) for (int b = 0; b < 32; b++) crc = ((crc ^ (uint32_t)(values[i] >> b)) & 1) ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
  printf("%08x %d %d\\n", (unsigned)crc, values[0], values[499]);
  int64_t wide = 1; uint64_t sum = 0;
  for (int i = 0; i < 200; i++) { wide = wide * (int32_t)rnd() + 7; sum += (uint64_t)wide / (rnd() | 1); sum ^= (uint64_t)(wide % (int64_t)(rnd() | 1)); sum += (uint32_t)((int32_t)rnd() / (int32_t)(rnd() | 1)); }
  printf("%llx %llx\\n", (unsigned long long)wide, (unsigned long long)sum);
  char text[200], copy[200];
  for (int i = 0; i < 50; i++) { snprintf(text, sizeof text, "%d:%5u:%-6x|%s", (int)rnd(), (unsigned)(rnd() % 1000), (unsigned)rnd(), "end"); memmove(copy + (i & 3), text, strlen(text) + 1); sum = sum * 31 + strlen(copy + (i & 3)) + (unsigned char)copy[(i & 3) + 5]; }
  printf("%s %llx\\n", copy, (unsigned long long)sum);
  return (int)(sum & 63);
}`;

const floats = `
#include <stdio.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
static uint32_t state = 777;
static uint32_t rnd(void) { state ^= state << 13; state ^= state >> 17; state ^= state << 5; return state; }
static uint32_t bits(float x) { uint32_t b; memcpy(&b, &x, 4); return b != b ? 0 : x != x ? 0x7fc00000 : b; }
int main(void) {
  uint32_t check = 0; float acc = 1.0f;
  for (int i = 0; i < 3000; i++) {
    uint32_t raw = rnd(); float x; memcpy(&x, &raw, 4);
    float y = (float)(int32_t)rnd() / 65536.0f, z = sqrtf(fabsf(y)) * 0.37f;
    float f = __builtin_fmaf(y, z, acc);
    check = check * 31 + bits(x + y); check = check * 31 + bits(x * z); check = check * 31 + bits(y / x); check = check * 31 + bits(f);
    check = check * 31 + (uint32_t)(int32_t)z + (uint32_t)fabsf(y) + (x < y) + 2 * (x > y) + 4 * (x == x);
    acc = acc * 0.99f - y * 1e-6f;
  }
  printf("%08x %08x\\n", (unsigned)check, (unsigned)bits(acc));
  double d = 1; for (int i = 1; i < 60; i++) d = d * 1.0001 + sin(d) / i;
  printf("%.12f %.6e %f\\n", d, (double)acc, (double)expf(acc));
  return 0;
}`;

const dsp = `
#include <stdio.h>
#include <stdint.h>
static uint32_t state = 4242, check;
static uint32_t rnd(void) { state ^= state << 13; state ^= state >> 17; state ^= state << 5; return state; }
static void mix(uint32_t x) { check = check * 16777619u ^ x; }
#define TWO(op) { uint32_t r; __asm volatile(op " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); mix(r); }
#define THREE(op) { uint32_t r; __asm volatile(op " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c)); mix(r); }
#define LONG(op) { uint32_t l = c, h = d; __asm volatile(op " %0, %1, %2, %3" : "+r"(l), "+r"(h) : "r"(a), "r"(b)); mix(l); mix(h); }
#define ONE(op, rest) { uint32_t r; __asm volatile(op " %0, %1" rest : "=r"(r) : "r"(a)); mix(r); }
int main(void) {
  for (int i = 0; i < 400; i++) {
    uint32_t a = rnd(), b = rnd(), c = rnd(), d = rnd();
    if ((i & 7) == 7) { a = 0x80008000; b = i & 8 ? a : 0x7fff7fff; }
    TWO("sadd16") TWO("ssub16") TWO("sasx") TWO("ssax") TWO("sadd8") TWO("ssub8") TWO("qadd16") TWO("qsub16") TWO("qasx") TWO("qsax") TWO("qadd8") TWO("qsub8")
    TWO("shadd16") TWO("shsub16") TWO("shasx") TWO("shsax") TWO("shadd8") TWO("shsub8") TWO("uadd16") TWO("usub16") TWO("uadd8") TWO("usub8") TWO("uqadd16") TWO("uqsub16") TWO("uqadd8") TWO("uqsub8") TWO("uhadd16") TWO("uhsub8")
    TWO("qadd") TWO("qsub") TWO("qdadd") TWO("qdsub") TWO("sel") TWO("smulbb") TWO("smultb") TWO("smulwb") TWO("smulwt") TWO("smuad") TWO("smuadx") TWO("smusd") TWO("smmul") TWO("smmulr") TWO("usad8") TWO("sdiv") TWO("udiv")
    THREE("smlabb") THREE("smlatt") THREE("smlawb") THREE("smlad") THREE("smladx") THREE("smlsd") THREE("smmla") THREE("smmlar") THREE("smmls") THREE("usada8") THREE("mla") THREE("mls")
    LONG("smlal") LONG("umlal") LONG("umaal") LONG("smlalbb") LONG("smlalbt") LONG("smlald") LONG("smlaldx") LONG("smlsld") LONG("smull") LONG("umull")
    ONE("sxtb16", "") ONE("uxtb16", ", ror #8") ONE("rbit", "") ONE("rev16", "") ONE("revsh", "") ONE("clz", "") ONE("ssat %0, #9, %1 @", "") ONE("usat16 %0, #5, %1 @", "")
    TWO("pkhbt") TWO("sxtab16") TWO("uxtab") TWO("sxtah")
  }
  printf("%08x\\n", (unsigned)check);
  return 0;
}`;

describe.skipIf(!hasCompiler || !hasQemu)('against QEMU (needs arm-none-eabi-gcc and qemu-system-arm)', () => {
  it.each([
    ['integers', integers],
    ['floats', floats],
    ['DSP instructions', dsp],
  ])('%s', (_, source) => {
    const elf = buildProgram({ files: { 'main.c': source }, newlib: true, flags: ['-u', '_printf_float'] });
    let stdout = '';
    const report = simulate({
      board: loadBoard('mps2-an386'),
      firmware: elf,
      firmwareName: 'program.elf',
      onConsole: (bytes) => {
        stdout += new TextDecoder().decode(bytes);
      },
    });
    expect(report.fault).toBeNull();
    const qemu = onQemu(elf);
    expect(qemu.stdout.length).toBeGreaterThan(8);
    expect({ stdout, exitCode: report.exitCode }).toEqual({ stdout: qemu.stdout, exitCode: qemu.exitCode });
  });
});
