/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int corch_socketpair(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ? -errno : 0;
}

int corch_accept(int fd) {
    int accepted;
    do accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (accepted < 0 && errno == EINTR);
    return accepted < 0 ? -errno : accepted;
}

/* Fills `address` for `path`. A path that is too long for it goes through an open directory, which is
 * returned (-1: not needed) and must stay open until bind or connect is done. */
static int unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof address->sun_path) {
        memcpy(address->sun_path, path, strlen(path));
        return -1;
    }
    const char *slash = strrchr(path, '/');
    char parent[4096];
    if (slash == NULL || (size_t)(slash - path) >= sizeof parent) return -ENAMETOOLONG;
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = 0;
    int directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d%s", directory, slash);
    if (length < (int)sizeof address->sun_path) return directory;
    close(directory);
    return -ENAMETOOLONG;
}

static int unix_listen(const char *path, int type, int backlog) {
    struct sockaddr_un address;
    int directory = unix_address(path, &address);
    if (directory < -1) return directory;
    int error = 0, fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) error = errno;
    if (!error && unlink(address.sun_path) < 0 && errno != ENOENT) error = errno;
    /* The file gets the socket's mode: no umask, which every thread would share. */
    if (!error && fchmod(fd, 0600) < 0) error = errno;
    if (!error && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) error = errno;
    if (!error && listen(fd, backlog) < 0) error = errno;
    if (directory >= 0) close(directory);
    if (!error) return fd;
    if (fd >= 0) close(fd);
    return -error;
}

int corch_unix_listen(const char *path, int backlog) { return unix_listen(path, SOCK_STREAM, backlog); }

int corch_packet_listen(const char *path, int backlog) { return unix_listen(path, SOCK_SEQPACKET, backlog); }

static int unix_connect(const char *path, int type) {
    struct sockaddr_un address;
    int directory = unix_address(path, &address);
    if (directory < -1) return directory;
    int error = 0, fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0) error = errno;
    if (!error && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) error = errno;
    if (directory >= 0) close(directory);
    if (!error) return fd;
    if (fd >= 0) close(fd);
    return -error;
}

int corch_unix_connect(const char *path) { return unix_connect(path, SOCK_STREAM); }

int corch_packet_connect(const char *path) { return unix_connect(path, SOCK_SEQPACKET); }

int corch_datagram_connect(const char *path) { return unix_connect(path, SOCK_DGRAM | SOCK_NONBLOCK); }

union control {
    char bytes[CMSG_SPACE(sizeof(int) * CORCH_FDS_MAX)];
    struct cmsghdr header;
};

int64_t corch_send(int fd, const void *head, size_t head_length, const void *body, size_t body_length,
                   const int *fds, int fd_count, int flags) {
    union control control;
    struct iovec parts[2] = {{(void *)(uintptr_t)head, head_length}, {(void *)(uintptr_t)body, body_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = body_length ? 2 : 1};
    if (fd_count < 0 || fd_count > CORCH_FDS_MAX) return -EINVAL;
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)fd_count);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
    }
    ssize_t sent;
    do sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int64_t corch_receive(int fd, void *buffer, size_t length, int *fds, int *fd_count, int flags) {
    union control control;
    struct iovec part = {buffer, length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int room = *fd_count, count = 0;
    *fd_count = 0;
    ssize_t received;
    do received = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    int cut = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        size_t arrived = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < arrived; index++) {
            int one;
            memcpy(&one, CMSG_DATA(head) + index * sizeof one, sizeof one);
            if (count < room)
                fds[count++] = one;
            else
                cut = 1, close(one);
        }
    }
    int is_long = (message.msg_flags & MSG_TRUNC) != 0;
    *fd_count = cut ? -1 : count;
    while ((cut || is_long) && count > 0) close(fds[--count]);
    return is_long ? -EMSGSIZE : received;
}

int corch_peer_credentials(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int corch_bytes_unsent(int fd) {
    int bytes = 0;
    return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

int corch_is_drained(int fd) {
    struct pollfd end = {.fd = fd, .events = POLLIN};
    return fd < 0 || (poll(&end, 1, 0) == 1 && end.revents == POLLHUP);
}

void corch_drop(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

int corch_is_readable(int fd) {
    struct pollfd socket = {.fd = fd, .events = POLLIN};
    return poll(&socket, 1, 0) == 1;
}
