/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct settings settings = {.ready_fd = -1, .lock_fd = -1, .listen_fd = -1};

_Noreturn void end(int code, const char *fact, const char *reason) {
    char line[4400];
    int length = snprintf(line, sizeof line, "orch-keeper: %s: %s\n", fact, reason);
    if (length >= (int)sizeof line) length = sizeof line - 1;
    if (write(STDERR_FILENO, line, (size_t)length) < 0) code |= 0;
    if (settings.ready_fd >= 0 && write(settings.ready_fd, line, (size_t)length) < 0) code |= 0;
    _exit(code);
}

static void read_arguments(int count, char **arguments) {
    int next = 1;
    for (; next < count; next++) {
        const char *option = arguments[next];
        if (strcmp(option, "--foreground") == 0) {
            settings.foreground = 1;
            continue;
        }
        const char *value = next + 1 < count ? arguments[next + 1] : NULL;
        if (strcmp(option, "--socket") == 0) settings.socket_path = value;
        else if (strcmp(option, "--lock") == 0) settings.lock_path = value;
        else if (strcmp(option, "--daemon") == 0) settings.daemon_path = value;
        else if (strcmp(option, "--ready-fd") == 0) settings.ready_fd = value ? atoi(value) : -1;
        else break;
        next++;
    }
    if (next < count && strcmp(arguments[next], "--") == 0) next++;
    if (!settings.socket_path || !settings.lock_path || !settings.daemon_path || settings.daemon_path[0] != '/' || count - next >= ARGUMENTS_MAX)
        end(END_USAGE, "usage", "orch-keeper --socket PATH --lock PATH [--ready-fd N] [--foreground] --daemon ABSOLUTE-PATH "
                                "[--] DAEMON-ARGUMENTS (at most 127)");
    settings.daemon_arguments[settings.daemon_argument_count++] = (char *)(uintptr_t)settings.daemon_path;
    while (next < count) settings.daemon_arguments[settings.daemon_argument_count++] = arguments[next++];
}

static void take_lock(void) {
    char text[4200];
    settings.lock_fd = open(settings.lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (settings.lock_fd < 0) end(END_SYSTEM, settings.lock_path, strerror(errno));
    int locked = corch_flock(settings.lock_fd, 1);
    if (locked == 0) return;
    if (locked != -EWOULDBLOCK) end(END_SYSTEM, settings.lock_path, strerror(-locked));
    ssize_t length = read(settings.lock_fd, text, 16);
    int holder = length > 0 ? atoi((text[length < 16 ? length : 15] = 0, text)) : 0;
    snprintf(text, sizeof text, "%s is locked by pid %d: another daemon owns this state directory", settings.lock_path,
             holder);
    end(END_LOCKED, "not started", text);
}

static void write_holder(void) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(settings.lock_fd, 0) < 0 || pwrite(settings.lock_fd, text, (size_t)length, 0) < 0)
        end(END_SYSTEM, settings.lock_path, strerror(errno));
}

/* Only 0, 1, 2 and the ready descriptor are the starter's gift; whatever else leaked ends here. */
static void keep_only_ours(void) {
    struct rlimit descriptors;
    int null = open("/dev/null", O_RDWR);
    while (null >= 0 && null < 3) null = open("/dev/null", O_RDWR);
    if (null < 0) end(END_SYSTEM, "/dev/null", strerror(errno));
    dup2(null, STDIN_FILENO);
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_cur < descriptors.rlim_max) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    int ready = settings.ready_fd >= 3 ? corch_dup_above(settings.ready_fd, RAMP_END) : -1;
    corch_close_range(3, ready >= 0 ? (uint32_t)ready - 1 : ~0u, 0);
    if (ready >= 0) corch_close_range((uint32_t)ready + 1, ~0u, 0);
    settings.ready_fd = ready;
}

static void detach(void) {
    if (settings.foreground) return;
    pid_t child = fork();
    if (child < 0) end(END_SYSTEM, "fork", strerror(errno));
    if (child > 0) _exit(0);
    setsid();
}

static int oom_score(const char *set) {
    char text[16] = {0};
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd < 0) return 0;
    int written = set == NULL || write(fd, set, strlen(set)) > 0;
    int read_back = written && pread(fd, text, sizeof text - 1, 0) > 0;
    close(fd);
    return read_back ? atoi(text) : settings.inherited_oom;
}

static void protect(void) {
    settings.inherited_oom = oom_score(NULL);
    settings.oom = oom_score("-1000");
    prctl(PR_SET_DUMPABLE, 0); /* specs hold secrets, and a child's core dump would take us along before 5.16 */
    mlockall(MCL_CURRENT | MCL_ONFAULT);
    if (corch_set_subreaper() < 0) end(END_SYSTEM, "PR_SET_CHILD_SUBREAPER", "needs Linux 3.4");
}

static void watch_signals(void) {
    for (int number = 1; number <= 64; number++) { /* children start from these: nothing may arrive ignored */
        uint64_t as_default[4] = {0}; /* the kernel's struct: glibc hides two signals, and starters ignore them */
        syscall(SYS_rt_sigaction, number, as_default, NULL, sizeof(uint64_t));
    }
    corch_block_signals(~UINT64_C(0));
    uint64_t wanted = CORCH_SIGNAL_BIT(SIGCHLD) | CORCH_SIGNAL_BIT(SIGTERM) | CORCH_SIGNAL_BIT(SIGINT) |
                      CORCH_SIGNAL_BIT(SIGHUP) | CORCH_SIGNAL_BIT(SIGQUIT);
    settings.signals = corch_signalfd(wanted);
    settings.epoll = corch_epoll_create();
    if (settings.signals < 0 || settings.epoll < 0) end(END_SYSTEM, "epoll, signalfd", strerror(EMFILE));
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_ADD, settings.signals, EPOLLIN, (uint64_t)SOURCE_SIGNAL << 32);
}

void start_up(int count, char **arguments) {
    read_arguments(count, arguments);
    keep_only_ours();
    take_lock();
    settings.listen_fd = corch_unix_listen(settings.socket_path, 128);
    if (settings.listen_fd < 0) end(END_SYSTEM, settings.socket_path, strerror(-settings.listen_fd));
    corch_boot_id(settings.boot_id);
    detach();
    write_holder();
    if (chdir("/") < 0) end(END_SYSTEM, "/", strerror(errno));
    protect();
    watch_signals();
    launch_prepare();
}
