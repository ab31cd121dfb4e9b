/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int daemon_pidfd = -1, daemon_said;
uint64_t daemon_starts;

static int32_t pid;
static int64_t started, delay, respawn_at;
static char message[160]; /* written to the log by the next daemon's child: a hung disk must not hang us */
static int spoke_once;

/* IDLE: everything sent was read. WATCHING: look at the deadline. PINGED, ABORTED, KILLED: as they say. */
static enum { IDLE, WATCHING, PINGED, CLOSED, ABORTED, KILLED } watchdog;
static int64_t watch_at;

struct inheritance {
    int link, listen, ready;
};

static void write_all(int fd, const char *text) {
    if (write(fd, text, strlen(text)) < 0) return;
}

static void set_own_oom(void) {
    if (settings.oom == settings.inherited_oom) return;
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) write_all(fd, "-900");
    if (fd >= 0) close(fd);
}

/* Runs in a copy of us; the only thread of it. */
static int become_daemon(void *argument) {
    struct inheritance *given = argument;
    sigset_t none;
    char **next = settings.daemon_arguments + settings.daemon_argument_count;
    int ready = given->ready >= 0;
    const int moved[3] = {corch_dup_above(given->link, 8), corch_dup_above(given->listen, 8),
                          ready ? corch_dup_above(given->ready, 8) : -1};
    dup2(moved[0], 3);
    dup2(moved[1], 4);
    if (ready) dup2(moved[2], 5);
    corch_close_range(ready ? 6 : 5, ~0u, 0);
    set_own_oom();
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    *next++ = "--keeper-fd", *next++ = "3", *next++ = "--listen-fd", *next++ = "4";
    if (ready) *next++ = "--ready-fd", *next++ = "5";
    *next = NULL;
    write_all(STDERR_FILENO, message);
    execv(settings.daemon_path, settings.daemon_arguments);
    char reason[512];
    snprintf(reason, sizeof reason, "orch-keeper: cannot start the daemon %s: %s\n", settings.daemon_path,
             strerror(errno));
    write_all(STDERR_FILENO, reason);
    if (ready) write_all(5, reason);
    return 127;
}

void daemon_start(void) {
    static char stack[65536] __attribute__((aligned(16)));
    int pair[2] = {-1, -1}, error = corch_socketpair(pair);
    struct inheritance given = {pair[1], settings.listen_fd, settings.ready_fd};
    respawn_at = 0;
    started = corch_clock(CLOCK_MONOTONIC);
    if (error == 0) error = pid = spawn_copy(become_daemon, &given, stack, sizeof stack, &daemon_pidfd);
    if (pair[1] >= 0) close(pair[1]);
    if (error < 0) { /* no descriptor, no process: later */
        if (pair[0] >= 0) close(pair[0]);
        daemon_pidfd = -1;
        respawn_at = started + SECOND;
        return;
    }
    if (settings.ready_fd >= 0) close(settings.ready_fd);
    settings.ready_fd = -1;
    message[0] = 0;
    daemon_starts++;
    daemon_said = 0;
    watchdog = IDLE;
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_ADD, daemon_pidfd, EPOLLIN, (uint64_t)SOURCE_DAEMON << 32);
    link_open(pair[0]);
}

int daemon_is(int32_t child) { return daemon_pidfd >= 0 && child == pid; }

void daemon_ended(void) {
    int32_t code, status;
    uint64_t user, system;
    if (daemon_pidfd < 0 || corch_wait_pidfd(daemon_pidfd, 0, &code, &status, &user, &system) != 1) return;
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_DEL, daemon_pidfd, 0, 0);
    close(daemon_pidfd);
    daemon_pidfd = -1;
    link_read_last_words(); /* they count */
    link_close();
    watchdog = IDLE;
    spoke_once |= daemon_said & 1 << KEEPER_HELLO;
    if (daemon_said & 1 << KEEPER_SHUTDOWN && slots_live == 0) _exit(0);
    if (!spoke_once && slots_live == 0) _exit(END_DAEMON);
    int64_t now = corch_clock(CLOCK_MONOTONIC);
    int planned = daemon_said & (1 << KEEPER_RESTART | 1 << KEEPER_SHUTDOWN);
    if (planned || now - started >= SECOND)
        delay = 0;
    else
        delay = delay == 0 ? SECOND / 100 : delay * 2 < SECOND ? delay * 2 : SECOND;
    respawn_at = now + delay;
    snprintf(message, sizeof message, "orch-keeper: the daemon (pid %d) %s %d after %lld ms; starting it again\n", pid,
             code == 1 ? "exited with" : "was killed by signal", status, (long long)((now - started) / 1000000));
}

void daemon_signal(int signal) {
    if (daemon_pidfd >= 0) corch_pidfd_signal(daemon_pidfd, signal);
}

static void watch(int state, int seconds) {
    watchdog = state;
    watch_at = corch_clock(CLOCK_MONOTONIC) + seconds * SECOND;
}

void daemon_expect(void) {
    if (watchdog == IDLE) watch(WATCHING, SILENCE);
}

void daemon_answered(void) {
    if (watchdog == PINGED) watch(WATCHING, SILENCE);
}

void daemon_hung_up(void) {
    link_close();
    if (watchdog < CLOSED) watch(CLOSED, MERCY);
}

static void bark(void) {
    switch (watchdog) {
    case WATCHING:
        if (!link_outstanding()) {
            watchdog = IDLE;
            return;
        }
        link_ping();
        return watch(PINGED, ANSWER);
    case PINGED:
    case CLOSED: daemon_signal(SIGABRT); return watch(ABORTED, MERCY);
    case ABORTED: daemon_signal(SIGKILL); return watch(KILLED, MERCY);
    case KILLED: return watch(KILLED, MERCY); /* dies when the kernel lets it */
    case IDLE: return;
    }
}

int64_t daemon_tick(void) {
    if (watchdog == IDLE && respawn_at == 0) return 0;
    int64_t now = corch_clock(CLOCK_MONOTONIC);
    if (respawn_at != 0 && now >= respawn_at) daemon_start();
    if (watchdog != IDLE && now >= watch_at) bark();
    if (watchdog == IDLE) return respawn_at;
    return respawn_at != 0 && respawn_at < watch_at ? respawn_at : watch_at;
}
