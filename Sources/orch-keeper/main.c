/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64

static int orphans; /* a child has ended that may be nobody's */

static void read_signals(void) {
    struct signalfd_siginfo signals[8];
    ssize_t length;
    while ((length = read(settings.signals, signals, sizeof signals)) > 0)
        for (size_t index = 0; index < (size_t)length / sizeof *signals; index++) {
            int number = (int)signals[index].ssi_signo;
            if (number == SIGCHLD)
                orphans = 1;
            else
                daemon_signal(number);
        }
}

static int timeout(int64_t deadline) {
    if (link_retry != 0 && (deadline == 0 || link_retry < deadline)) deadline = link_retry;
    if (deadline == 0) return -1;
    int64_t left = deadline - corch_clock(CLOCK_MONOTONIC);
    return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

/* Ends come before requests: a launch id's end is told before anything that follows from it. */
static void turn(struct epoll_event *events, int count) {
    int requests = 0, daemon = 0;
    for (int index = 0; index < count; index++) {
        uint32_t slot = (uint32_t)events[index].data.u64;
        switch (events[index].data.u64 >> 32) {
        case SOURCE_SIGNAL: read_signals(); break;
        case SOURCE_SOCKET: requests = (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0; break;
        case SOURCE_DAEMON: daemon = 1; break;
        case SOURCE_CHILD: launch_reap(slot); break;
        case SOURCE_REPORT: launch_read_report(slot); break;
        }
    }
    launch_queued();
    if (requests) link_read();
    link_flush();
    if (orphans && count < EVENTS) {
        orphans = 0;
        launch_reap_orphans();
        link_flush();
    }
    if (daemon) daemon_ended();
}

int main(int count, char **arguments) {
    struct epoll_event events[EVENTS];
    start_up(count, arguments);
    daemon_start();
    for (;;) {
        int64_t deadline = daemon_tick();
        link_flush();
        int ready = corch_epoll_wait(settings.epoll, events, EVENTS, orphans ? 0 : timeout(deadline));
        turn(events, ready < 0 ? 0 : ready);
    }
}
