/*
 * A boot ROM for the emulated RP2040, ours, with the interface of the real one (RP2040 data sheet 2.8): it runs the image's second boot stage, and has
 * the functions that firmware looks up. What it cannot do as code, arithmetic and flash, the device at SERVICE does (boot-rom.ts).
 * boot-rom-code.ts is this, assembled: test/emulator/rp2040.test.ts compares them.
 */
    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .equ SERVICE, 0x40070000
    .equ STAGE, 0x20041f00
    .equ XIP, 0x10000000
    .equ VTOR, 0xe000ed08
    .equ SSI, 0x18000000
    .equ XIP_CTRL, 0x14000000
    .equ IO_QSPI_SS_CTRL, 0x4001800c

    /* Numbers of services, the argument registers being r0 to r3. Float functions are 0x00 to 0x1f, double ones 0x20 to 0x3f. */
    .equ BOOT_STAGE_VALID, 0x40
    .equ FLASH_ERASE, 0x41
    .equ FLASH_PROGRAM, 0x42
    .equ USB_BOOT, 0x43

    .word STAGE
    .word reset + 1
    .word stop + 1
    .word stop + 1
    .byte 'M', 'u', 1, 3
    .hword functions, data
    .hword lookup + 1, 0

stop:
    b stop

reset:
    ldr r4, =SERVICE
    movs r0, #BOOT_STAGE_VALID
    str r0, [r4, #16]
    ldr r0, [r4]
    cmp r0, #0
    beq direct
    ldr r0, =STAGE
    ldr r1, =XIP
    movs r2, #64
1:  ldmia r1!, {r3}
    stmia r0!, {r3}
    subs r2, #1
    bne 1b
    movs r0, #0
    mov lr, r0
    ldr r0, =STAGE + 1
    bx r0
    /* No boot stage with a right CRC: an image without one is started, where the real ROM would wait for USB. */
direct:
    ldr r0, =XIP + 0x100
    ldr r1, =VTOR
    str r0, [r1]
    ldr r1, [r0]
    msr msp, r1
    ldr r0, [r0, #4]
    bx r0
    .ltorg

/* (table of 16-bit codes and pointers, code) */
lookup:
1:  ldrh r2, [r0]
    cmp r2, #0
    beq 3f
    cmp r2, r1
    beq 2f
    adds r0, #4
    b 1b
2:  ldrh r0, [r0, #2]
    bx lr
3:  movs r0, #0
    bx lr

popcount32:
    ldr r1, =0x55555555
    lsrs r2, r0, #1
    ands r2, r1
    subs r0, r2
    ldr r1, =0x33333333
    lsrs r2, r0, #2
    ands r2, r1
    ands r0, r1
    adds r0, r2
    lsrs r2, r0, #4
    adds r0, r2
    ldr r1, =0x0f0f0f0f
    ands r0, r1
    ldr r1, =0x01010101
    muls r0, r1
    lsrs r0, r0, #24
    bx lr

reverse32:
    movs r1, r0
    movs r2, #32
1:  lsrs r1, r1, #1
    adcs r0, r0
    subs r2, #1
    bne 1b
    bx lr

clz32:
    movs r1, #28
    lsrs r2, r0, #16
    beq 1f
    subs r1, #16
    movs r0, r2
1:  lsrs r2, r0, #8
    beq 2f
    subs r1, #8
    movs r0, r2
2:  lsrs r2, r0, #4
    beq 3f
    subs r1, #4
    movs r0, r2
3:  adr r2, 4f
    ldrb r0, [r2, r0]
    adds r0, r1
    bx lr
    .align 2
4:  .byte 4, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0

ctz32:
    push {r4, lr}
    rsbs r1, r0, #0
    ands r0, r1
    movs r4, r0
    bl clz32
    cmp r4, #0
    beq 1f
    movs r1, #31
    subs r0, r1, r0
1:  pop {r4, pc}
    .align 2
    .ltorg

/* (destination, byte, count), destination returned */
memset:
    movs r3, #3
    tst r0, r3
    beq memset4
    mov ip, r0
1:  cmp r2, #0
    beq 2f
    strb r1, [r0]
    adds r0, #1
    subs r2, #1
    b 1b
2:  mov r0, ip
    bx lr

memset4:
    push {r4, r5, r6, lr}
    mov ip, r0
    uxtb r1, r1
    lsls r3, r1, #8
    orrs r1, r3
    lsls r3, r1, #16
    orrs r1, r3
    movs r3, r1
    movs r4, r1
    movs r5, r1
    b 2f
1:  stmia r0!, {r1, r3, r4, r5}
2:  subs r2, #16
    bcs 1b
    adds r2, #16
    beq 4f
3:  strb r1, [r0]
    adds r0, #1
    subs r2, #1
    bne 3b
4:  mov r0, ip
    pop {r4, r5, r6, pc}

/* (destination, source, count), destination returned */
memcpy:
    movs r3, r0
    orrs r3, r1
    lsls r3, r3, #30
    beq memcpy44
    mov ip, r0
1:  cmp r2, #0
    beq 2f
    ldrb r3, [r1]
    strb r3, [r0]
    adds r0, #1
    adds r1, #1
    subs r2, #1
    b 1b
2:  mov r0, ip
    bx lr

memcpy44:
    push {r4, r5, r6, lr}
    mov ip, r0
    b 2f
1:  ldmia r1!, {r3, r4, r5, r6}
    stmia r0!, {r3, r4, r5, r6}
2:  subs r2, #16
    bcs 1b
    adds r2, #16
    beq 4f
3:  ldrb r3, [r1]
    strb r3, [r0]
    adds r0, #1
    adds r1, #1
    subs r2, #1
    bne 3b
4:  mov r0, ip
    pop {r4, r5, r6, pc}

wait_for_vector:
    wfe
    b wait_for_vector

connect_internal_flash:
    bx lr

/* The serial interface as a plain one of 8 bits. */
flash_exit_xip:
    ldr r0, =SSI
    movs r1, #0
    str r1, [r0, #8]
    movs r1, #6
    str r1, [r0, #0x14]
    movs r1, #7
    lsls r1, r1, #16
    str r1, [r0]
    movs r1, #1
    str r1, [r0, #0x10]
    str r1, [r0, #8]
    bx lr

/* The slow way that every flash knows: command 03, address, data, all on one lane. */
flash_enter_cmd_xip:
    ldr r0, =SSI
    movs r1, #0
    str r1, [r0, #8]
    ldr r1, =0x001f0300
    str r1, [r0]
    ldr r1, =0x03000218
    movs r2, #0xf4
    str r1, [r0, r2]
    movs r1, #1
    str r1, [r0, #8]
    bx lr

/* And the chip select is the serial interface's again. */
flash_flush_cache:
    ldr r0, =XIP_CTRL
    movs r1, #1
    str r1, [r0, #4]
    ldr r1, [r0, #4]
    ldr r0, =IO_QSPI_SS_CTRL
    movs r1, #0
    str r1, [r0]
    bx lr
    .ltorg

    .macro service number
    push {r4, r5, r6, lr}
    movs r5, #\number
    b serve
    .endm

flash_range_erase:
    service FLASH_ERASE
flash_range_program:
    service FLASH_PROGRAM
reset_to_usb_boot:
    service USB_BOOT

    .align 2
serve:
    ldr r4, 2f
    str r0, [r4]
    str r1, [r4, #4]
    str r2, [r4, #8]
    str r3, [r4, #12]
    str r5, [r4, #16]
    ldr r6, [r4, #20]
1:  subs r6, #1
    bpl 1b
    ldr r0, [r4]
    ldr r1, [r4, #4]
    pop {r4, r5, r6, pc}
    .align 2
2:  .word SERVICE

    .macro arithmetic first
    .set n, \first
    .rept 32
    service n
    .set n, n + 1
    .endr
    .endm

floats:
    arithmetic 0
doubles:
    arithmetic 0x20

    .align 2
    .byte 0, 0, 32, 0
soft_float_table:
    .set n, 0
    .rept 32
    .word floats + n * 6 + 1
    .set n, n + 1
    .endr
    .byte 0, 0, 32, 0
soft_double_table:
    .set n, 0
    .rept 32
    .word doubles + n * 6 + 1
    .set n, n + 1
    .endr

    .macro entry a, b, target
    .byte \a, \b
    .hword \target
    .endm
functions:
    entry 'P', '3', popcount32 + 1
    entry 'R', '3', reverse32 + 1
    entry 'L', '3', clz32 + 1
    entry 'T', '3', ctz32 + 1
    entry 'M', 'S', memset + 1
    entry 'S', '4', memset4 + 1
    entry 'M', 'C', memcpy + 1
    entry 'C', '4', memcpy44 + 1
    entry 'W', 'V', wait_for_vector + 1
    entry 'U', 'B', reset_to_usb_boot + 1
    entry 'I', 'F', connect_internal_flash + 1
    entry 'E', 'X', flash_exit_xip + 1
    entry 'R', 'E', flash_range_erase + 1
    entry 'R', 'P', flash_range_program + 1
    entry 'F', 'C', flash_flush_cache + 1
    entry 'C', 'X', flash_enter_cmd_xip + 1
    .word 0
data:
    entry 'S', 'F', soft_float_table
    entry 'S', 'D', soft_double_table
    entry 'F', 'S', floats
    entry 'F', 'E', doubles
    .word 0
