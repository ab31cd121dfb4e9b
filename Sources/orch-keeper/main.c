/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"
#include "corch_network.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define EVENTS 64

struct keeper keeper = {.ready_fd = -1, .notify_fd = -1, .program_fd = -1, .patience = 5 * SECOND};

enum { SOCKET, LOCK, DAEMON, READY, PATIENCE, LEGACY, NOTIFY, OPTIONS };
static const char *names[] = {"--socket", "--lock", "--daemon", "--ready-fd", "--patience", "--legacy", "--notify"};
static const char *values[OPTIONS];
static int foreground, is_resumed; /* resumed: the daemon lives, another keeper has started it */

_Noreturn void end(int code, const char *format, ...) {
    char text[8400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    dprintf(STDERR_FILENO, "orch-keeper: %s\n", text);
    if (keeper.ready_fd >= 0) dprintf(keeper.ready_fd, "orch-keeper: %s\n", text);
    _exit(code);
}

static int demand(const char *what, int result) {
    if (result < 0) end(END_SYSTEM, "%s: %s", what, strerror(-result));
    return result;
}

/* For whoever wants to know beforehand whether this program runs here, and what it speaks. */
static void introduce(int count, char **arguments) {
    if (count != 2 || strcmp(arguments[1], "--version") != 0) return;
    printf("orch-keeper protocol %d\n", KEEPER_PROTOCOL_VERSION);
    exit(0);
}

static void read_arguments(int count, char **arguments) {
    static char *daemon[ARGUMENTS_MAX + 16];
    int next = 1;
    for (int option; next < count && strcmp(arguments[next], "--") != 0; next++) {
        foreground |= strcmp(arguments[next], "--foreground") == 0;
        for (option = 0; option < OPTIONS && strcmp(arguments[next], names[option]) != 0;) option++;
        if (option < OPTIONS && next + 1 < count) values[option] = arguments[++next];
    }
    if (values[READY]) keeper.ready_fd = atoi(values[READY]);
    if (values[PATIENCE]) keeper.patience = atoi(values[PATIENCE]) * (SECOND / 1000);
    const char *program = values[DAEMON];
    int has_place = values[LEGACY] || (values[SOCKET] && values[LOCK]);
    if (!has_place || !program || *program != '/' || count - next > ARGUMENTS_MAX)
        end(END_USAGE, "usage: orch-keeper --socket PATH --lock PATH --daemon ABSOLUTE-PATH [--notify PATH] [--ready-fd N] "
                                "[--foreground] [--patience MILLISECONDS] [-- DAEMON-ARGUMENTS (at most 127)]");
    keeper.daemon = daemon;
    daemon[keeper.daemon_count++] = (char *)(uintptr_t)program;
    while (++next < count) daemon[keeper.daemon_count++] = arguments[next];
}

/* What a starter wants to hear as an exit code comes before it is left alone. */
static void take_place(const char *lock, const char *socket) {
    int holder = 0;
    keeper.lock_fd = corch_lock(lock, &holder);
    if (keeper.lock_fd == -EWOULDBLOCK)
        end(END_LOCKED, "not started: %s is locked by pid %d: another daemon owns this state directory", lock, holder);
    demand(lock, keeper.lock_fd);
    keeper.listen_fd = demand(socket, corch_unix_listen(socket, 128));
    if (values[NOTIFY]) keeper.notify_fd = corch_notify_bind(values[NOTIFY]); /* the daemon says why there is none */
    int detached = foreground ? chdir("/") : daemon(0, 1);
    demand("cannot detach", detached < 0 ? -errno : 0);
}

/* The place of a keeper that was killed, then this process was its daemon; or its own, under another program. */
static void inherit_place(int file) {
    struct keeper_legacy head = {0};
    struct keeper_legacy_slot slot;
    ssize_t length = read(file, &head, sizeof head);
    if (length != sizeof head || head.version != KEEPER_PROTOCOL_VERSION) end(END_USAGE, "--legacy of another version");
    keeper.listen_fd = head.listen_fd, keeper.lock_fd = head.lock_fd, keeper.notify_fd = head.notify_fd;
    memcpy(highest_launch, head.highest_launch, sizeof highest_launch);
    daemon_starts = head.daemon_starts;
    while (read(file, &slot, sizeof slot) == sizeof slot) launch_adopt(&slot.event, slot.fds, slot.told);
    close(file), FAILPOINT("legacy-inherited");
    daemon_inherit(&head);
    is_resumed = head.link_fd >= 0;
}

static void start_up(int count, char **arguments) {
    read_arguments(count, arguments);
    keeper.ready_fd = corch_keep_only(keeper.ready_fd, SPAWN_NUMBERS, values[LEGACY] != NULL);
    demand("cannot make room for children", spawn_prepare());
    keeper.program_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    keeper.epoll = demand("epoll", corch_epoll_create());
    keeper.pipes = demand("epoll", corch_epoll_create());
    if (values[LEGACY]) inherit_place(atoi(values[LEGACY]));
    else take_place(values[LOCK], values[SOCKET]);
    demand("the lock", corch_lock_sign(keeper.lock_fd));
    spawn_protect();
    demand("PR_SET_CHILD_SUBREAPER", corch_set_subreaper());
    corch_default_signals(); /* children start from these: nothing may arrive ignored */
    corch_block_signals(~UINT64_C(0));
    keeper.signals = corch_signalfd(CORCH_SIGNAL_BIT(SIGCHLD) | CORCH_SIGNAL_BIT(SIGTERM) | CORCH_SIGNAL_BIT(SIGINT) |
                                    CORCH_SIGNAL_BIT(SIGHUP) | CORCH_SIGNAL_BIT(SIGQUIT));
    watch(demand("signalfd", keeper.signals), SOURCE_SIGNAL, 0);
    watch_guests(EPOLL_CTL_ADD);
}

static int64_t timers[TIMERS]; /* when, on CLOCK_MONOTONIC; 0: not at all */
static int orphans = 1;        /* a child has ended that may be nobody's; perhaps before we were */

void timer_set(enum timer timer, int64_t delay) { timers[timer] = delay < 0 ? 0 : corch_clock(CLOCK_MONOTONIC) + delay; }

/* Does what is due, and tells what has changed. The nanoseconds until the next thing is due, or -1. */
static int64_t run_timers(void) {
    static void (*const actions[TIMERS])(void) = {daemon_start, daemon_watch, link_flush, launch_give_up,
                                                     renew_give_up};
    for (int timer; (timer = corch_timer_due(timers, TIMERS)) >= 0;) actions[timer]();
    link_flush();
    return orphans ? 0 : corch_timer_left(timers, TIMERS);
}

void watch(int fd, enum source source, uint32_t index) {
    int error = corch_epoll_ctl(keeper.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uint64_t)source << 32 | index);
    if (error < 0 && error != -EEXIST) timer_set(TIMER_GIVE_UP, SECOND / 10);
}

void watch_guests(int operation) {
    const int sockets[] = {keeper.listen_fd, keeper.notify_fd, keeper.pipes};
    for (int index = 0; index < 3; index++)
        if (sockets[index] >= 0)
            corch_epoll_ctl(keeper.epoll, operation, sockets[index], EPOLLIN | EPOLLONESHOT, (uint64_t)SOURCE_GUEST << 32);
}

static void read_signals(void) {
    struct signalfd_siginfo signal;
    while (read(keeper.signals, &signal, sizeof signal) > 0) {
        if (signal.ssi_signo == SIGCHLD) orphans = 1;
        else daemon_signal((int)signal.ssi_signo);
    }
}

/* The daemon, and children that came to us because their parents are gone, among ours that have just ended. */
static void reap_orphans(void) {
    daemon_look();
    for (orphans = 0;;) {
        siginfo_t child = {0};
        if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 || child.si_pid == 0) return;
        if (launch_reap_pid(child.si_pid)) continue;
        waitid(P_PID, (id_t)child.si_pid, &child, WEXITED | WNOHANG);
        daemon_ended(&child);
    }
}

/* Ends come before requests: a launch id's end is told before anything that follows from it. */
static void turn(const struct epoll_event *events, int count) {
    int requests = 0;
    for (int event = 0; event < count; event++) {
        uint32_t index = (uint32_t)events[event].data.u64;
        switch ((enum source)(events[event].data.u64 >> 32)) {
        case SOURCE_SIGNAL: read_signals(); break;
        case SOURCE_SOCKET: requests = (events[event].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0; break;
        case SOURCE_CHILD: launch_reap(index, 1); break;
        case SOURCE_REPORT: launch_read_report(index); break;
        case SOURCE_GUEST: daemon_expect(); break;
        }
    }
    if (requests) link_read();
    launch_queued();
    link_flush(); /* the look at all children, of thousands, takes longer than the way from an end to its replacement's request */
    if (orphans && count < EVENTS) reap_orphans();
    renew_turn();
}

int main(int count, char **arguments) {
    struct epoll_event events[EVENTS];
    introduce(count, arguments);
    start_up(count, arguments);
    if (!is_resumed) daemon_start();
    for (;;) {
        int ready = corch_epoll_wait_ns(keeper.epoll, events, EVENTS, run_timers());
        turn(events, ready < 0 ? 0 : ready);
    }
}
