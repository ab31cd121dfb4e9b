/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define PROCESS_GROUP 4u /* PIDFD_SIGNAL_PROCESS_GROUP, linux/pidfd.h, 6.9 */

int corch_pidfd_open(int32_t pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : (int)fd;
}

int corch_pidfd_getfd(int pidfd, int number) {
    long fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
    return fd < 0 ? -errno : (int)fd;
}

int corch_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int corch_pidfd_signal_group(int pidfd, int32_t pid, int signal) {
    if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, PROCESS_GROUP) == 0) return 0;
    if (errno != EINVAL || pid <= 1) return -errno;
    int alive = corch_pidfd_signal(pidfd, 0);
    if (alive < 0) return alive;
    return kill(-pid, signal) < 0 ? -errno : 0;
}

/* struct pidfd_info of linux/pidfd.h up to its exit code: 64 bytes, PIDFD_INFO_SIZE_VER0. */
struct information {
    uint64_t mask, cgroup_id;
    uint32_t pid, tgid, ppid, ids[8];
    int32_t exit_code;
};
#define GET_INFORMATION _IOWR(0xFF, 11, struct information)
#define INFORMATION_EXIT 8u

int corch_pidfd_exit_status(int pidfd, int32_t *status) {
    _Static_assert(sizeof(struct information) == 64, "PIDFD_INFO_SIZE_VER0");
    struct information information = {.mask = INFORMATION_EXIT};
    if (ioctl(pidfd, GET_INFORMATION, &information) < 0) return -errno;
    if (!(information.mask & INFORMATION_EXIT)) return -ENODATA;
    *status = information.exit_code;
    return 0;
}

static uint64_t microseconds(struct timeval time) { return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec; }

int corch_wait_pidfd(int pidfd, int keep, int32_t *code, int32_t *status, uint64_t *user_usec, uint64_t *system_usec) {
    const int by_pidfd = 3; /* P_PIDFD */
    siginfo_t child;
    struct rusage usage;
    int options = WEXITED | WNOHANG | __WALL | (keep ? WNOWAIT : 0);
    if (!keep) FAILPOINT("end-recorded");
    memset(&child, 0, sizeof child);
    long waited;
    do waited = syscall(SYS_waitid, by_pidfd, pidfd, &child, options, &usage);
    while (waited < 0 && errno == EINTR);
    if (waited < 0) return -errno;
    if (child.si_pid == 0) return 0;
    *code = child.si_code;
    *status = child.si_status;
    *user_usec = microseconds(usage.ru_utime);
    *system_usec = microseconds(usage.ru_stime);
    return 1;
}

int corch_wait_stranger(int pidfd, int patient, int32_t *code, int32_t *status) {
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    int32_t wait_status = 0;
    if (poll(&end, 1, 0) < 1) return 0;
    int told = corch_pidfd_exit_status(pidfd, &wait_status);
    if (told == -ENODATA && patient) return 0;
    *code = told < 0 ? 0 : WIFEXITED(wait_status) ? CLD_EXITED : WCOREDUMP(wait_status) ? CLD_DUMPED : CLD_KILLED;
    *status = told < 0 ? 0 : WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status);
    return 1;
}

int corch_prctl(int option, unsigned long argument) { return prctl(option, argument, 0, 0, 0) < 0 ? -errno : 0; }

int corch_set_subreaper(void) { return corch_prctl(PR_SET_CHILD_SUBREAPER, 1); }

void corch_child_begin(const int *fds, int count) {
    sigset_t none;
    for (int index = 0; index < count; index++)
        if (fds[index] >= 0) dup2(fds[index], 3 + index);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int corch_oom_score_adj(const char *set) {
    char text[16] = {0};
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t written = set != NULL ? write(fd, set, strlen(set)) : 0;
    ssize_t length = pread(fd, text, sizeof text - 1, 0); /* refused or not: what holds is told */
    close(fd);
    return written >= -1 && length > 0 ? atoi(text) : 0;
}

int corch_ioprio_set(int32_t pid, int32_t priority) {
    const int process = 1; /* IOPRIO_WHO_PROCESS */
    return syscall(SYS_ioprio_set, process, pid, priority) < 0 ? -errno : 0;
}

int64_t corch_process_start_ticks(int32_t pid) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? -ESRCH : -errno;
    ssize_t length = read(fd, text, sizeof text - 1);
    int error = errno;
    close(fd);
    if (length <= 0) return length < 0 ? -error : -ESRCH;
    text[length] = 0;
    char *field = strrchr(text, ')'); /* the name, field 2, may hold anything */
    for (int number = 2; field != NULL && number < 22; number++) field = strchr(field + 1, ' ');
    return field == NULL ? -EIO : strtoll(field + 1, NULL, 10);
}
