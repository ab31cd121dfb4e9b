/* SPDX-License-Identifier: Apache-2.0 */
#include "spawn_child.h"

#include "spawn_mounts.h"
#include "spawn_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define CLOSE_RANGE_UNSHARE_TABLE 2u
#define CLOSE_RANGE_ON_EXEC 4u

/* From here on the child has a descriptor table of its own; the byte says so. Once who spawns has been killed nobody reads it: the signal
 * for that, blocked like all of them, must not end the child when they are let in. */
static void detach(struct spawn_order *order) {
    const uint64_t broken_pipe = UINT64_C(1) << (SIGPIPE - 1), no_time[2] = {0};
    reach(order, SPAWN_STAGE_DESCRIPTORS);
    step(order, raw(SYS_close_range, order->unshare_from, ~0u, CLOSE_RANGE_UNSHARE_TABLE));
    if (raw(SYS_write, order->ramp + SPAWN_RAMP_REPORT, "", 1) == -EPIPE)
        raw(SYS_rt_sigtimedwait, &broken_pipe, NULL, no_time, sizeof broken_pipe);
}

static void enter_cgroup(struct spawn_order *order) {
    if (!order->write_cgroup) return;
    reach(order, SPAWN_STAGE_CGROUP);
    long fd = raw(SYS_openat, order->ramp + SPAWN_RAMP_CGROUP, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    step(order, fd);
    step(order, raw(SYS_write, fd, "0", 1));
    raw(SYS_close, fd);
}

static void close_between(int first, int last) {
    if (first <= last) raw(SYS_close_range, first, last, 0);
}

/* Before everything that can block: a child stuck in chdir must hold no end of anybody's pipe. */
static void place_descriptors(struct spawn_order *order) {
    int next = 3, report = order->ramp + SPAWN_RAMP_REPORT;
    reach(order, SPAWN_STAGE_DESCRIPTORS);
    for (int number = 0; number < 3; number++) {
        int source = number == 2 && !order->own_errors ? 1 : order->ramp + number;
        step(order, raw(SYS_dup3, source, number, 0));
    }
    for (uint32_t index = 0; index < order->extra_count; index++) {
        int number = order->numbers[index];
        step(order, raw(SYS_dup3, order->ramp + SPAWN_RAMP_EXTRA + index, number, 0));
        close_between(next, number - 1);
        next = number + 1;
    }
    close_between(next, report - 1);
    raw(SYS_close_range, report + 1, ~0u, 0);
}

static void write_oom(struct spawn_order *order) {
    char text[8], digits[8];
    int length = 0, count = 0, value = order->oom_score_adj;
    if (!order->set_oom) return;
    reach(order, SPAWN_STAGE_OOM);
    if (value < 0) text[length++] = '-', value = -value;
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0) text[length++] = digits[--count];
    if (order->own_memory) raw(SYS_prctl, PR_SET_DUMPABLE, 1); /* else the file is root's; exec resets it */
    long fd = raw(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    step(order, fd);
    step(order, raw(SYS_write, fd, text, length));
    raw(SYS_close, fd);
}

static void set_limits(struct spawn_order *order) {
    struct spawn_spec *spec = order->spec;
    int descriptors = 0;
    reach(order, SPAWN_STAGE_LIMITS);
    for (uint32_t index = 0; index < spec->limitc; index++) {
        struct spawn_limit *limit = &spec->limits[index];
        uint64_t pair[2] = {limit->soft, limit->hard};
        descriptors |= limit->resource == RLIMIT_NOFILE;
        step(order, raw(SYS_prlimit64, 0, limit->resource, pair, 0));
    }
    uint64_t ours[2];
    if (descriptors || raw(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, ours) < 0) return;
    ours[0] = ours[1] < 1024 ? ours[1] : 1024;
    raw(SYS_prlimit64, 0, RLIMIT_NOFILE, ours, 0);
}

static void set_priorities(struct spawn_order *order) {
    struct spawn_spec *spec = order->spec;
    if (spec->flags & SPAWN_SET_AFFINITY) {
        reach(order, SPAWN_STAGE_AFFINITY);
        step(order, raw(SYS_sched_setaffinity, 0, SPAWN_CPUS_MAX / 8, confinement(order)->cpus));
    }
    if (spec->flags & SPAWN_SET_NICE) {
        reach(order, SPAWN_STAGE_NICE);
        step(order, raw(SYS_setpriority, PRIO_PROCESS, 0, spec->nice));
    }
    if (spec->flags & SPAWN_SET_IOPRIO) {
        reach(order, SPAWN_STAGE_IOPRIO);
        step(order, raw(SYS_ioprio_set, 1, 0, spec->ioprio));
    }
    set_limits(order);
    if (spec->flags & SPAWN_SET_UMASK) raw(SYS_umask, spec->umask);
}

static void set_identity(struct spawn_order *order) {
    struct spawn_spec *spec = order->spec;
    if (spec->flags & SPAWN_SET_GROUPS) {
        reach(order, SPAWN_STAGE_GROUPS);
        char *groups = (char *)spec + spec->groups;
        step(order, raw(SYS_setgroups, spec->groupc, groups));
    }
    if (spec->flags & SPAWN_SET_GID) {
        reach(order, SPAWN_STAGE_GID);
        step(order, raw(SYS_setresgid, spec->gid, spec->gid, spec->gid));
    }
    if (!(spec->flags & SPAWN_SET_UID)) return;
    reach(order, SPAWN_STAGE_UID);
    step(order, raw(SYS_setresuid, spec->uid, spec->uid, spec->uid));
    if (spec->uid != 0 && raw(SYS_setresuid, 0, 0, 0) == 0) fail(order, -EPERM);
}

/* What is out of the bounding set can't come back by any exec. The bits that stay must outlive setresuid(2). */
static void drop_capabilities(struct spawn_order *order) {
    if (!(order->spec->flags & SPAWN_SET_CAPABILITIES)) return;
    uint64_t kept = confinement(order)->capabilities;
    reach(order, SPAWN_STAGE_CAPABILITIES);
    for (long number = 0; number < 64 && raw(SYS_prctl, PR_CAPBSET_READ, number) >= 0; number++)
        if (!(kept >> number & 1)) step(order, raw(SYS_prctl, PR_CAPBSET_DROP, number));
    step(order, raw(SYS_prctl, PR_SET_KEEPCAPS, 1)); /* exec takes it back */
}

/* Ambient ones reach a program that is not root's (capabilities(7), 4.3). */
static void keep_capabilities(struct spawn_order *order) {
    if (!(order->spec->flags & SPAWN_SET_CAPABILITIES)) return;
    uint64_t kept = confinement(order)->capabilities;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    for (int half = 0; half < 2; half++) {
        uint32_t bits = (uint32_t)(kept >> 32 * half);
        sets[half].effective = bits, sets[half].permitted = bits, sets[half].inheritable = bits;
    }
    reach(order, SPAWN_STAGE_CAPABILITIES);
    step(order, raw(SYS_capset, &head, sets));
    for (long number = 0; number < 64; number++)
        if (kept >> number & 1) step(order, raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number));
}

static void take_terminal(struct spawn_order *order) {
    if (!(order->spec->flags & SPAWN_TERMINAL)) return;
    reach(order, SPAWN_STAGE_TERMINAL);
    step(order, raw(SYS_ioctl, 0, TIOCSCTTY, 0));
}

/* A FIFO that nobody writes to is not waited for: others wait for this child's berth. */
static void open_input(struct spawn_order *order) {
    if (!(order->spec->flags & SPAWN_SET_INPUT)) return;
    reach(order, SPAWN_STAGE_INPUT);
    const char *path = (const char *)order->spec + confinement(order)->input;
    long fd = raw(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    step(order, fd);
    step(order, raw(SYS_fcntl, fd, F_SETFL, 0));
    step(order, raw(SYS_dup3, fd, 0, 0));
    raw(SYS_close, fd);
}

static void write_pid(char *entry) {
    char *next = entry, digits[10];
    while (*next++ != '=') {}
    int count = 0;
    for (long pid = raw(SYS_getpid, 0); pid > 0 && count < 10; pid /= 10) digits[count++] = (char)('0' + pid % 10);
    while (count > 0) *next++ = digits[--count];
    *next = 0;
}

/* sd_listen_fds(3), sd_watchdog_enabled(3): whoever is given sockets, or is watched, looks whether it is meant, by a pid that nobody knows
 * before it is there. */
static void write_pids(struct spawn_order *order) {
    struct spawn_spec *spec = order->spec;
    char **end = strings(spec, spec->envp) + spec->envc;
    if (spec->flags & SPAWN_LISTEN_PID) write_pid(*--end);
    if (spec->flags & SPAWN_WATCHDOG_PID) write_pid(*--end);
}

/* The directory, a slash and the name, in order->path. 0 when it does not fit. */
static int candidate(struct spawn_order *order, const char *directory, const char *name) {
    size_t length = 0;
    for (const char *part = directory; *part; part++) {
        if (length + 2 >= order->path_room) return 0;
        order->path[length++] = *part;
    }
    if (length > 0) order->path[length++] = '/';
    for (const char *part = name;; part++) {
        if (length >= order->path_room) return 0;
        order->path[length++] = *part;
        if (!*part) return 1;
    }
}

/* As execvp(3), without its shell for files that no loader knows. */
static long execute(struct spawn_order *order) {
    struct spawn_spec *spec = order->spec;
    char **argv = strings(spec, spec->argv), **envp = strings(spec, spec->envp);
    for (const char *part = argv[0]; *part; part++)
        if (*part == '/') return raw(SYS_execve, argv[0], argv, envp);
    long error = -ENOENT, denied = 0;
    for (uint32_t index = 0; index < spec->searchc; index++) {
        if (!candidate(order, strings(spec, spec->search)[index], argv[0])) continue;
        error = raw(SYS_execve, order->path, argv, envp);
        if (error == -EACCES) denied = error;
        int next = error == -EACCES || error == -ENOENT || error == -ENOTDIR || error == -ESTALE ||
                   error == -ENODEV || error == -ETIMEDOUT || error == -ENAMETOOLONG || error == -ELOOP;
        if (!next) return error;
    }
    return denied ? denied : error;
}

static int child(void *argument) {
    struct spawn_order *order = argument;
    struct spawn_spec *spec = order->spec;
    uint64_t none = 0;
    detach(order);
    enter_cgroup(order);
    place_descriptors(order);
    reach(order, SPAWN_STAGE_SESSION);
    step(order, raw(SYS_setsid, 0));
    take_terminal(order);
    write_oom(order);
    mounts_join(order);
    mounts_take(order);
    set_priorities(order);
    drop_capabilities(order);
    set_identity(order);
    keep_capabilities(order);
    reach(order, SPAWN_STAGE_CWD);
    step(order, raw(SYS_chdir, spec->cwd ? (char *)spec + spec->cwd : "/"));
    open_input(order);
    reach(order, SPAWN_STAGE_PRIVILEGES);
    if (spec->flags & SPAWN_NO_NEW_PRIVS)
        step(order, raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1));
    raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
    write_pids(order);
    reach(order, SPAWN_STAGE_EXEC);
    fail(order, execute(order));
    return 125;
}

long corch_raw_clone3(struct clone_args *arguments, size_t size, int (*body)(void *), void *argument);
long corch_raw_clone(unsigned long flags, void *stack_top, int *pidfd, int (*body)(void *), void *argument);

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

static int forbidden; /* clone3 is not there, or a container's filter says so */

int spawn_clone(struct spawn_order *order, void *stack, size_t stack_size, int *pidfd) {
    uint64_t flags = CLONE_PIDFD | CLONE_FILES | (order->own_memory ? 0 : CLONE_VM);
    struct clone_args arguments = {
        .flags = flags | CLONE_CLEAR_SIGHAND | (order->in_cgroup ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = stack_size,
        .cgroup = order->in_cgroup ? (uint64_t)(order->ramp + SPAWN_RAMP_CGROUP) : 0,
    };
    reach(order, SPAWN_STAGE_NONE);
    order->error = 0;
    order->write_cgroup = 0;
    long pid = forbidden ? -ENOSYS : corch_raw_clone3(&arguments, sizeof arguments, child, order);
    if (pid != -ENOSYS && pid != -EPERM) return (int)pid;
    forbidden |= pid == -ENOSYS;
    order->write_cgroup = order->in_cgroup;
    return (int)corch_raw_clone(flags | SIGCHLD, (char *)stack + stack_size, pidfd, child, order);
}
