/* SPDX-License-Identifier: Apache-2.0 */
/* writer SLOTS ID LINES LINES-A-WRITE PAUSE-MICROSECONDS
 * Waits for the file "SLOTS.go", then writes that many lines of exactly 100 bytes to its standard output:
 * "W<id, 4 digits> N<number, 10 digits> <the alphabet, over and over>". Notes in its slot when it started, and after the last write the
 * time and how many lines were taken from it. Then waits to be told to stop. A pause after each write makes the writing last. */
#include "bare.h"

#define LINE 100
#define LINES_A_WRITE 1024
static char block[LINE * LINES_A_WRITE];

static void digits(char *place, int width, u64 value) {
    for (int i = width - 1; i >= 0; i--) {
        place[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void prepare(u64 id, u64 lines) {
    for (u64 k = 0; k < lines; k++) {
        char *line = block + k * LINE;
        for (int i = 0; i < LINE - 1; i++) line[i] = (char)('a' + (i + (int)k) % 26);
        line[LINE - 1] = '\n';
        line[0] = 'W';
        digits(line + 1, 4, id);
        line[5] = ' ';
        line[6] = 'N';
        line[17] = ' ';
    }
}

/* So that the supervisor's own start is no part of what is measured. */
static void wait_for_go(const char *slots) {
    char path[512];
    u64 length = 0;
    for (; slots[length] && length < sizeof path - 4; length++) path[length] = slots[length];
    for (u64 i = 0; i < 4; i++) path[length + i] = ".go"[i];
    while (call4(__NR_openat, -100, (i64)path, 02000000, 0) < 0) pause_ns(1000000);
}

/* False when the reader is gone. */
static int write_all(u64 bytes) {
    for (u64 done = 0; done < bytes;) {
        i64 result = call4(__NR_write, 1, (i64)(block + done), (i64)(bytes - done), 0);
        if (result >= 0) done += (u64)result;
        else if (result == -11 /* EAGAIN */) pause_ns(100000);
        else if (result != -4 /* EINTR */) return 0;
    }
    return 1;
}

__attribute__((used)) void start(i64 *stack) {
    char **arguments = (char **)(stack + 1);
    if (stack[0] < 6) end(98);
    u64 id = number_of(arguments[2]), lines = number_of(arguments[3]), burst = number_of(arguments[4]);
    i64 pause = (i64)number_of(arguments[5]) * 1000;
    if (burst < 1 || burst > LINES_A_WRITE) end(98);
    block_ending();
    prepare(id, burst);
    int slots = open_slots(arguments[1]);
    if (slots < 0) end(99);
    note(slots, id, 0, (u64[]){now_ns(), (u64)call4(__NR_getpid, 0, 0, 0, 0)}, 2);
    wait_for_go(arguments[1]);
    u64 done = 0;
    while (done < lines) {
        u64 some = lines - done < burst ? lines - done : burst;
        for (u64 k = 0; k < some; k++) digits(block + k * LINE + 7, 10, done + k);
        if (!write_all(some * LINE)) break;
        done += some;
        if (pause) pause_ns(pause);
    }
    note(slots, id, SLOT_STOP, (u64[]){now_ns(), done}, 2);
    wait_ending();
    end(done == lines ? 0 : 97);
}
