/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upgrade of this process: it executes another orch-keeper, with its table in a memfd and every descriptor where
 * it is. Pid, children, zombies and the subreaper's mark outlive an execve(2), and so does the daemon's socket: its
 * daemon lives meanwhile, and becomes the keeper again if the new one dies of it.
 */
#include "keeper.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char paths[2 * 4096]; /* of the keeper, of the daemon, each with its end; empty: nobody has asked */

int renew_is_asked(void) { return *paths != 0; }

static const char *daemon_path(void) { return paths + strlen(paths) + 1; }

static void answer(int error) {
    *paths = 0;
    link_renewed(error);
}

void renew_ask(int words) {
    ssize_t length = renew_is_asked() ? 0 : pread(words, paths, sizeof paths - 2, 0);
    close(words);
    if (length > 0) paths[length] = paths[length + 1] = 0;
    if (length <= 0 || *paths != '/' || *daemon_path() != '/') return answer(EINVAL);
    timer_set(TIMER_RENEW, SECOND);
}

static void hand_on(int fd) { fcntl(fd, F_SETFD, 0); }

static int put(int file, const void *bytes, size_t length) { return write(file, bytes, length) == (ssize_t)length; }

static int put_slots(int file) {
    for (uint32_t index = 0; index < slots_used; index++) {
        const struct slot *slot = &slots[index];
        if (slot->fact.launch == 0) continue;
        struct keeper_legacy_slot known = {.event = slot->fact, .told = slot->told,
            .fds = {slot->birth.pidfd, slot->birth.held[0], slot->birth.held[1]}};
        for (int fd = 0; fd < 3; fd++) hand_on(known.fds[fd]);
        if (!put(file, &known, sizeof known)) return 0;
    }
    return 1;
}

/* The memfd with everything, or -errno. */
static int write_legacy(void) {
    struct keeper_legacy head = {.version = KEEPER_PROTOCOL_VERSION, .listen_fd = keeper.listen_fd,
                                 .lock_fd = keeper.lock_fd, .notify_fd = keeper.notify_fd, .sound_fd = -1,
                                 .daemon_starts = daemon_starts};
    memcpy(head.highest_launch, highest_launch, sizeof highest_launch);
    daemon_bequeath(&head);
    head.link_fd = link_number();
    const int fds[] = {head.listen_fd, head.lock_fd, head.notify_fd, head.link_fd, head.sound_fd};
    for (int fd = 0; fd < 5; fd++) hand_on(fds[fd]);
    int file = corch_memfd("orch-legacy");
    if (file < 0) return file;
    hand_on(file);
    if (put(file, &head, sizeof head) && put_slots(file) && lseek(file, 0, SEEK_SET) == 0) return file;
    close(file);
    return -ENOSPC;
}

static int execute(int file) {
    static char *words[ARGUMENTS_MAX + 16];
    char number[16], patience[24];
    int count = 0;
    snprintf(number, sizeof number, "%d", file);
    snprintf(patience, sizeof patience, "%lld", (long long)(keeper.patience / (SECOND / 1000)));
    const char *own[] = {paths, "--legacy", number, "--patience", patience, "--daemon", daemon_path(), "--"};
    for (; count < 8; count++) words[count] = (char *)(uintptr_t)own[count];
    for (int index = 1; index < keeper.daemon_count; index++) words[count++] = keeper.daemon[index];
    words[count] = NULL;
    execv(paths, words);
    return errno;
}

/* A child between clone and exec tells this process alone how it comes out, so none is left behind. */
void renew_turn(void) {
    if (!renew_is_asked() || !link_is_quiet() || !spawn_is_idle()) return;
    int file = write_legacy();
    int error = file < 0 ? -file : (FAILPOINT("legacy-written"), execute(file));
    if (file >= 0) close(file);
    corch_close_range(KEEPER_FLOOR, ~0u, CORCH_CLOSE_RANGE_CLOEXEC);
    answer(error);
}

void renew_give_up(void) {
    if (renew_is_asked()) answer(EBUSY);
}
