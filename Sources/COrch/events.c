/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

int corch_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int corch_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    if (fd < 0) return -EBADF;
    return result(epoll_ctl(epoll, operation, fd, &event));
}

int corch_epoll_wait(int epoll, struct epoll_event *events, int maximum, int timeout_ms) {
    return result(epoll_wait(epoll, events, maximum, timeout_ms));
}

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

int corch_epoll_wait_ns(int epoll, struct epoll_event *events, int maximum, int64_t timeout_ns) {
    struct timespec wait = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int count = (int)syscall(SYS_epoll_pwait2, epoll, events, maximum, timeout_ns < 0 ? NULL : &wait, NULL, 0);
    if (count >= 0 || errno != ENOSYS) return result(count);
    int64_t milliseconds = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
    return corch_epoll_wait(epoll, events, maximum, milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds);
}

int corch_eventfd(uint32_t initial) { return result(eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK)); }

int corch_timerfd(int clock) { return result(timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK)); }

int corch_timerfd_set(int fd, int64_t deadline_ns, int64_t interval_ns, int cancel_on_set) {
    struct itimerspec when = {
        .it_value = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000},
        .it_interval = {.tv_sec = interval_ns / 1000000000, .tv_nsec = interval_ns % 1000000000},
    };
    int flags = TFD_TIMER_ABSTIME | (cancel_on_set ? TFD_TIMER_CANCEL_ON_SET : 0);
    return result(timerfd_settime(fd, flags, &when, NULL));
}

static sigset_t signals(uint64_t set) {
    sigset_t signals;
    sigemptyset(&signals);
    for (int number = 1; number <= 64; number++)
        if (set & CORCH_SIGNAL_BIT(number)) sigaddset(&signals, number);
    return signals;
}

int corch_block_signals(uint64_t set) {
    sigset_t blocked = signals(set);
    return result(sigprocmask(SIG_BLOCK, &blocked, NULL));
}

void corch_default_signals(void) {
    for (int number = 1; number <= 64; number++) {
        uint64_t as_default[4] = {0}; /* the kernel's struct: glibc's sigaction() refuses two numbers */
        syscall(SYS_rt_sigaction, number, as_default, NULL, sizeof(uint64_t));
    }
}

int corch_signalfd(uint64_t set) {
    sigset_t wanted = signals(set);
    return result(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

int corch_inotify(void) { return result(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

int corch_inotify_add(int fd, const char *path, uint32_t mask) { return result(inotify_add_watch(fd, path, mask)); }

int corch_inotify_remove(int fd, int watch) { return result(inotify_rm_watch(fd, watch)); }

int64_t corch_clock(int clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) < 0) return -errno;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int corch_bit_next(const uint64_t *bits, uint32_t words, uint32_t from) {
    for (uint32_t step = 0; step <= words; step++) {
        uint32_t word = (from / 64 + step) % words;
        uint64_t left = step > 0 ? bits[word] : bits[word] & ~UINT64_C(0) << from % 64;
        if (left != 0) return (int)(word * 64 + (uint32_t)__builtin_ctzll(left));
    }
    return -1;
}

int corch_timer_due(int64_t *timers, int count) {
    int64_t now = corch_clock(CLOCK_MONOTONIC);
    for (int timer = 0; timer < count; timer++) {
        if (timers[timer] == 0 || timers[timer] > now) continue;
        timers[timer] = 0;
        return timer;
    }
    return -1;
}

int64_t corch_timer_left(const int64_t *timers, int count) {
    int64_t now = corch_clock(CLOCK_MONOTONIC), first = INT64_MAX;
    for (int timer = 0; timer < count; timer++)
        if (timers[timer] != 0 && timers[timer] < first) first = timers[timer];
    return first == INT64_MAX ? -1 : first <= now ? 0 : first - now;
}
