/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static int64_t result(int64_t value) { return value < 0 ? -errno : value; }

const int corch_O_PATH = O_PATH;
const int corch_O_TMPFILE = O_TMPFILE;

int corch_pipe(int fds[2], int flags) { return (int)result(pipe2(fds, flags | O_CLOEXEC)); }

int corch_pipe_set_size(int fd, int bytes) { return (int)result(fcntl(fd, F_SETPIPE_SZ, bytes)); }

int corch_pipe_get_size(int fd) { return (int)result(fcntl(fd, F_GETPIPE_SZ)); }

int corch_bytes_readable(int fd) {
    int bytes = 0;
    return ioctl(fd, FIONREAD, &bytes) < 0 ? -errno : bytes;
}

int corch_dup3(int fd, int target) {
    int copy;
    do copy = dup3(fd, target, O_CLOEXEC);
    while (copy < 0 && (errno == EINTR || errno == EBUSY));
    return (int)result(copy);
}

int corch_dup_above(int fd, int minimum) { return (int)result(fcntl(fd, F_DUPFD_CLOEXEC, minimum)); }

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int corch_close_range(uint32_t first, uint32_t last, uint32_t flags) {
    return (int)result(syscall(SYS_close_range, first, last, flags));
}

int64_t corch_splice_at(int from, int to, int64_t *offset, size_t length, uint32_t flags) {
    ssize_t moved;
    do moved = splice(from, NULL, to, offset, length, flags);
    while (moved < 0 && errno == EINTR);
    return result(moved);
}

int64_t corch_splice(int from, int to, size_t length, uint32_t flags) {
    return corch_splice_at(from, to, NULL, length, flags);
}

int64_t corch_tee(int from, int to, size_t length, uint32_t flags) {
    ssize_t copied;
    do copied = tee(from, to, length, flags);
    while (copied < 0 && errno == EINTR);
    return result(copied);
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

int corch_memfd(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return (int)result(fd);
}

int corch_memfd_seal(int fd) {
    return (int)result(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

int corch_memfd_is_sealed(int fd) {
    int needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, seals = fcntl(fd, F_GET_SEALS);
    return seals < 0 ? -errno : (seals & needed) == needed;
}

int corch_openat2(int directory, const char *path, int flags, uint32_t mode, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = mode, .resolve = resolve};
    long fd;
    do fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    while (fd < 0 && errno == EINTR);
    return (int)result(fd);
}

int corch_renameat2(int from_directory, const char *from, int to_directory, const char *to, uint32_t flags) {
    return (int)result(renameat2(from_directory, from, to_directory, to, flags));
}

int corch_flock(int fd, int exclusive) {
    int locked;
    do locked = flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
    while (locked < 0 && errno == EINTR);
    return (int)result(locked);
}

int corch_random(void *buffer, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t count = getrandom((char *)buffer + done, length - done, 0);
        if (count < 0 && errno != EINTR) return -errno;
        if (count > 0) done += (size_t)count;
    }
    return 0;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int corch_boot_id(uint8_t identifier[16]) {
    char text[40];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    int nibbles = 0;
    for (ssize_t index = 0; index < length && nibbles < 32; index++) {
        int value = digit(text[index]);
        if (value < 0) continue;
        uint8_t *byte = &identifier[nibbles++ / 2];
        *byte = (uint8_t)(*byte << 4 | value);
    }
    return nibbles == 32 ? 0 : -EIO;
}

int corch_lock(const char *path, int32_t *holder) {
    char text[16] = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    int locked = corch_flock(fd, 1);
    if (locked == 0) return fd;
    *holder = read(fd, text, sizeof text - 1) > 0 ? atoi(text) : 0;
    close(fd);
    return locked;
}

int corch_lock_sign(int lock) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d\n", (int)getpid()); /* over what is there: a reader finds one of both */
    return pwrite(lock, text, (size_t)length, 0) < 0 || ftruncate(lock, length) < 0 ? -errno : 0;
}

int corch_keep_only(int fd, int minimum, int keeps_above) {
    struct rlimit descriptors;
    int null = open("/dev/null", O_RDWR);
    while (null >= 0 && null < 3) null = open("/dev/null", O_RDWR);
    if (null >= 0) dup2(null, STDIN_FILENO);
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    if (keeps_above) {
        corch_close_range(3, (uint32_t)minimum - 1, 0);
        corch_close_range((uint32_t)minimum, ~0u, CORCH_CLOSE_RANGE_CLOEXEC);
        return fd;
    }
    int moved = fd >= 3 ? corch_dup_above(fd, minimum) : -1;
    corch_close_range(3, moved >= 0 ? (uint32_t)moved - 1 : ~0u, 0);
    if (moved >= 0) corch_close_range((uint32_t)moved + 1, ~0u, 0);
    return moved >= 0 ? moved : -1;
}

int64_t corch_file_system(const char *path) {
    struct statfs facts;
    return statfs(path, &facts) == 0 ? (int64_t)(uint32_t)facts.f_type : -errno;
}
