/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the Nth system call of a kind fail, in a program that knows nothing of it: LD_PRELOADed, it stands before the C library.
 * The file that FAULT_SHIM names says `PROGRAM KIND ERRNO N SERIAL`; it is removed as the call fails, so it happens once. While it
 * is there, every thread of PROGRAM counts, from 1 when SERIAL is another one than before. Own calls go to the kernel directly.
 *
 * With FAULT_STORM=PATH every thread is interrupted once a millisecond by a signal that does nothing, so that all that waits comes
 * back with EINTR; after ten of them there is a file PATH.PROGRAM. The keeper blocks all signals, so it is left out.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static long (*kernel)(long, ...);
static const char *order;
static char own[16];
static int counts_memory; /* there are so many of these that they are counted with FAULT_MEMORY only */
static void storm(const char *path);

__attribute__((constructor)) static void begin(void) {
    order = getenv("FAULT_SHIM");
    counts_memory = getenv("FAULT_MEMORY") != NULL;
    const char *slash = strrchr(program_invocation_name, '/');
    snprintf(own, sizeof own, "%s", slash != NULL ? slash + 1 : program_invocation_name);
    int is_ours = strcmp(own, "orch") == 0 || strcmp(own, "orchd") == 0 || strcmp(own, "orch-edge") == 0;
    if (getenv("FAULT_STORM") != NULL && is_ours) storm(getenv("FAULT_STORM"));
}

/* As syscall(2); before `begin` ran, too. */
#define kernel_call(...) (find()(__VA_ARGS__))

typedef long call(long, ...);

static call *find(void) {
    if (kernel == NULL) kernel = (call *)(uintptr_t)dlsym(RTLD_NEXT, "syscall");
    return kernel;
}

#define THREADS_MAX 64
static char storm_path[256];
static _Atomic int thread_count;
static int threads[THREADS_MAX];

/* Comes to the thread that began the program; it passes it on to the others. */
static void interrupt(int signal) {
    static _Atomic int count;
    int error = errno;
    if (kernel_call(SYS_gettid) == kernel_call(SYS_getpid)) {
        for (int index = 0; index < thread_count && index < THREADS_MAX; index++)
            kernel_call(SYS_tgkill, kernel_call(SYS_getpid), threads[index], signal);
        if (++count == 10) kernel_call(SYS_close, kernel_call(SYS_openat, AT_FDCWD, storm_path, O_CREAT | O_WRONLY, 0600));
    }
    errno = error;
}

static void storm(const char *path) {
    find();
    snprintf(storm_path, sizeof storm_path, "%s.%s", path, own);
    struct sigaction action = {.sa_handler = interrupt}; /* without SA_RESTART */
    sigaction(SIGALRM, &action, NULL);
    sigset_t alarms; /* a starter may have blocked it */
    sigemptyset(&alarms), sigaddset(&alarms, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarms, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_interval = {0, 1000}, .it_value = {0, 1000}}, NULL);
}

struct beginning {
    void *(*body)(void *);
    void *argument;
};

static void *enter(void *given) {
    struct beginning thread = *(struct beginning *)given;
    free(given);
    int index = thread_count++;
    if (index < THREADS_MAX) threads[index] = (int)kernel_call(SYS_gettid);
    return thread.body(thread.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
    struct beginning *given = malloc(sizeof *given);
    if (given == NULL) return EAGAIN;
    *given = (struct beginning){body, argument};
    return real(thread, attributes, enter, given);
}

/* Whether this call is the one; then errno is set. */
static int fails(const char *kind) {
    static _Atomic int count, serial;
    if (order == NULL) return 0;
    int before = errno;
    long fd = kernel_call(SYS_openat, AT_FDCWD, order, O_RDONLY | O_CLOEXEC);
    errno = before;
    if (fd < 0) return 0;
    char text[128] = {0}, program[16], wanted[24];
    int code, nth, number;
    kernel_call(SYS_read, fd, text, sizeof text - 1);
    kernel_call(SYS_close, fd);
    errno = before;
    if (sscanf(text, "%15s %23s %d %d %d", program, wanted, &code, &nth, &number) != 5) return 0;
    if (strcmp(program, own) != 0 || strcmp(wanted, kind) != 0) return 0;
    if (serial != number) serial = number, count = 0;
    if (++count != nth || kernel_call(SYS_unlinkat, AT_FDCWD, order, 0) < 0) return errno = before, 0;
    errno = code;
    return 1;
}

static mode_t mode_of(int flags, va_list more) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; }

#define OPEN(name)                                                     \
    int name(const char *path, int flags, ...) {                       \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        mode_t mode = mode_of(flags, more);                            \
        va_end(more);                                                  \
        if (fails("open") || (flags & O_CREAT && fails("create"))) return -1;                                  \
        return (int)kernel_call(SYS_openat, AT_FDCWD, path, flags, mode);  \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                       \
    int name(int directory, const char *path, int flags, ...) {            \
        va_list more;                                                      \
        va_start(more, flags);                                             \
        mode_t mode = mode_of(flags, more);                                \
        va_end(more);                                                      \
        if (fails("open") || (flags & O_CREAT && fails("create"))) return -1;                                      \
        return (int)kernel_call(SYS_openat, directory, path, flags, mode);     \
    }
OPENAT(openat)
OPENAT(openat64)

#define CALL(type, name, kind, shape, ...) \
    type name shape { return fails(kind) ? -1 : (type)__VA_ARGS__; }

CALL(ssize_t, write, "write", (int fd, const void *bytes, size_t length), kernel_call(SYS_write, fd, bytes, length))
CALL(ssize_t, pwrite, "write", (int fd, const void *bytes, size_t length, off_t at), kernel_call(SYS_pwrite64, fd, bytes, length, at))
CALL(ssize_t, pwrite64, "write", (int fd, const void *bytes, size_t length, off64_t at), kernel_call(SYS_pwrite64, fd, bytes, length, at))
CALL(ssize_t, splice, "splice", (int from, off64_t *a, int to, off64_t *b, size_t length, unsigned flags),
     kernel_call(SYS_splice, from, a, to, b, length, flags))
CALL(ssize_t, tee, "splice", (int from, int to, size_t length, unsigned flags), kernel_call(SYS_tee, from, to, length, flags))
CALL(int, fsync, "fsync", (int fd), kernel_call(SYS_fsync, fd))
CALL(int, fdatasync, "fsync", (int fd), kernel_call(SYS_fdatasync, fd))
CALL(int, ftruncate, "ftruncate", (int fd, off_t length), kernel_call(SYS_ftruncate, fd, length))
CALL(int, ftruncate64, "ftruncate", (int fd, off64_t length), kernel_call(SYS_ftruncate, fd, length))
CALL(int, rename, "rename", (const char *a, const char *b), kernel_call(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0))
CALL(int, renameat, "rename", (int x, const char *a, int y, const char *b), kernel_call(SYS_renameat2, x, a, y, b, 0))
CALL(int, renameat2, "rename", (int x, const char *a, int y, const char *b, unsigned flags), kernel_call(SYS_renameat2, x, a, y, b, flags))
CALL(int, unlink, "unlink", (const char *path), kernel_call(SYS_unlinkat, AT_FDCWD, path, 0))
CALL(int, unlinkat, "unlink", (int directory, const char *path, int flags), kernel_call(SYS_unlinkat, directory, path, flags))
CALL(int, mkdir, "mkdir", (const char *path, mode_t mode), kernel_call(SYS_mkdirat, AT_FDCWD, path, mode))
CALL(int, mkdirat, "mkdir", (int directory, const char *path, mode_t mode), kernel_call(SYS_mkdirat, directory, path, mode))
CALL(int, socket, "socket", (int domain, int type, int protocol), kernel_call(SYS_socket, domain, type, protocol))
CALL(int, socketpair, "socket", (int domain, int type, int protocol, int fds[2]), kernel_call(SYS_socketpair, domain, type, protocol, fds))
CALL(int, accept4, "accept", (int fd, struct sockaddr *who, socklen_t *length, int flags), kernel_call(SYS_accept4, fd, who, length, flags))
CALL(ssize_t, sendmsg, "sendmsg", (int fd, const struct msghdr *message, int flags), kernel_call(SYS_sendmsg, fd, message, flags))
CALL(int, epoll_create1, "epoll_create", (int flags), kernel_call(SYS_epoll_create1, flags))
CALL(int, epoll_ctl, "epoll_ctl", (int epoll, int what, int fd, struct epoll_event *event), kernel_call(SYS_epoll_ctl, epoll, what, fd, event))
CALL(int, pipe2, "pipe", (int fds[2], int flags), kernel_call(SYS_pipe2, fds, flags))
CALL(int, inotify_init1, "inotify_init", (int flags), kernel_call(SYS_inotify_init1, flags))
CALL(int, inotify_add_watch, "inotify_add", (int fd, const char *path, uint32_t mask), kernel_call(SYS_inotify_add_watch, fd, path, mask))
CALL(int, memfd_create, "memfd", (const char *name, unsigned flags), kernel_call(SYS_memfd_create, name, flags))
void *__libc_malloc(size_t size);
void *malloc(size_t size) { return counts_memory && fails("memory") ? NULL : __libc_malloc(size); }
CALL(pid_t, fork, "fork", (void), ((pid_t(*)(void))(uintptr_t)dlsym(RTLD_NEXT, "fork"))())

/* What the C library has no function for here. */
long syscall(long number, ...) {
    long words[6];
    va_list more;
    va_start(more, number);
    for (int word = 0; word < 6; word++) words[word] = va_arg(more, long);
    va_end(more);
    if (number == SYS_pidfd_open && fails("pidfd")) return -1;
    if (number == 437 /* openat2 */ && fails("open")) return -1;
    return kernel_call(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
