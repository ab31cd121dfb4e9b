/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough to live without a C library: raw system calls of x86-64 and aarch64. A service made of this is about two
 * kilobytes and starts in no time of its own, so that what is measured is the supervisor's. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <asm/unistd.h>

#include "../../../Sources/COrch/raw.h"

typedef unsigned long u64;
typedef long i64;

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call start\n");
#else
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x0,sp\n bl start\n");
#endif

static inline i64 call4(i64 number, i64 a, i64 b, i64 c, i64 d) { return raw6(number, a, b, c, d, 0, 0); }

static inline u64 now_ns(void) {
    i64 time[2];
    call4(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, (i64)time, 0, 0);
    return (u64)time[0] * 1000000000ul + (u64)time[1];
}

static inline void pause_ns(i64 ns) {
    i64 time[2] = {ns / 1000000000, ns % 1000000000};
    call4(__NR_nanosleep, (i64)time, 0, 0, 0);
}

static inline u64 number_of(const char *text) {
    u64 value = 0;
    while (*text >= '0' && *text <= '9') value = value * 10 + (u64)(*text++ - '0');
    return value;
}

static inline _Noreturn void end(int code) {
    for (;;) call4(__NR_exit_group, code, 0, 0, 0);
}

/* TERM, INT and HUP are blocked from the start and waited for: no handler, no race. */
static const u64 ending = (1ul << 14) | (1ul << 1) | (1ul << 0);
static inline void block_ending(void) { call4(__NR_rt_sigprocmask, 0, (i64)&ending, 0, 8); }
static inline void wait_ending(void) {
    while (call4(__NR_rt_sigtimedwait, (i64)&ending, 0, 0, 8) < 0) {}
}

/* One slot of 32 bytes for each service, in a file that all share: when it started, its pid, when it was told to stop, and how much
 * it has written. */
#define SLOT_BYTES 32
#define SLOT_STOP 16
static inline int open_slots(const char *path) {
    return (int)call4(__NR_openat, -100 /* AT_FDCWD */, (i64)path, 1 | 02000000 /* O_WRONLY | O_CLOEXEC */, 0);
}

static inline void note(int slots, u64 id, u64 offset, const u64 *words, u64 count) {
    call4(__NR_pwrite64, slots, (i64)words, (i64)(count * sizeof *words), (i64)(id * SLOT_BYTES + offset));
}

#endif
