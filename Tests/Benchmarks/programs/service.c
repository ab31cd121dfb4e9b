/* SPDX-License-Identifier: Apache-2.0 */
/* service [SLOTS ID [notify | WORD...]]
 * Notes the time of its first instruction and its pid in its slot, waits to be told to stop, notes the time of that and exits 0.
 * Without arguments it is the `run` file of runit, s6 or daemontools itself, so that they pay for no shell: its number is the end of
 * its folder's name, and the slots are where it was compiled for. With READY_FD it then reports readiness there, as s6 wants it.
 * `notify` sends READY=1 to NOTIFY_SOCKET, as sd_notify(3) does. Other words are there to be changed. */
#include "bare.h"

#ifndef SLOTS
#define SLOTS "/nowhere"
#endif

static u64 number_of_folder(void) {
    char folder[4096];
    i64 length = call4(__NR_getcwd, (i64)folder, sizeof folder, 0, 0);
    if (length <= 1) end(99);
    i64 first = length - 1;
    while (first > 0 && folder[first - 1] >= '0' && folder[first - 1] <= '9') first--;
    return number_of(folder + first);
}

static const char *variable(char **environment, const char *name) {
    for (; *environment; environment++) {
        const char *entry = *environment, *wanted = name;
        while (*wanted && *entry == *wanted) entry++, wanted++;
        if (!*wanted && *entry == '=') return entry + 1;
    }
    return 0;
}

static void notify(char **environment) {
    const char *path = variable(environment, "NOTIFY_SOCKET");
    if (!path) end(98);
    struct {
        unsigned short family;
        char path[108];
    } address = {1 /* AF_UNIX */, {0}};
    u64 length = 0;
    for (; path[length] && length < sizeof address.path - 1; length++) address.path[length] = path[length];
    i64 size = (i64)(sizeof address.family + length);
    if (address.path[0] == '@') address.path[0] = 0;
    i64 fd = call4(__NR_socket, 1, 2 | 02000000 /* SOCK_DGRAM | SOCK_CLOEXEC */, 0, 0);
    if (raw6(__NR_sendto, fd, (i64) "READY=1", 7, 0, (i64)&address, size) < 0) end(97);
    call4(__NR_close, fd, 0, 0, 0);
}

__attribute__((used)) void start(i64 *stack) {
    u64 begun = now_ns();
    i64 count = stack[0];
    char **arguments = (char **)(stack + 1);
    block_ending();
    int slots = open_slots(count >= 3 ? arguments[1] : SLOTS);
    if (slots < 0) end(99);
    u64 id = count >= 3 ? number_of(arguments[2]) : number_of_folder();
    note(slots, id, 0, (u64[]){begun, (u64)call4(__NR_getpid, 0, 0, 0, 0)}, 2);
#ifdef READY_FD
    if (count < 3) call4(__NR_write, READY_FD, (i64) "\n", 1, 0);
#endif
    if (count >= 4 && arguments[3][0] == 'n') notify(arguments + count + 1);
    wait_ending();
    note(slots, id, SLOT_STOP, (u64[]){now_ns()}, 1);
    end(0);
}
