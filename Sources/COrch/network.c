/* SPDX-License-Identifier: Apache-2.0 */
#include "corch_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Fills `address`; returns its length, 0 when the text is no numeric address. */
static socklen_t numeric(const char *text, uint16_t port, union address *address) {
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->four.sin_addr) == 1) {
        address->four.sin_family = AF_INET;
        address->four.sin_port = htons(port);
        return sizeof address->four;
    }
    if (inet_pton(AF_INET6, text, &address->six.sin6_addr) == 1) {
        address->six.sin6_family = AF_INET6;
        address->six.sin6_port = htons(port);
        return sizeof address->six;
    }
    return 0;
}

int corch_is_numeric_address(const char *text) {
    union address address;
    return numeric(text, 0, &address) > 0;
}

static int test(const union address *wanted, socklen_t length, int udp) {
    union address bound = *wanted;
    int on = 1, off = 0, error = 0;
    int fd = socket(wanted->any.sa_family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    if (!udp) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* Both families at once, or a listener on 127.0.0.1 would go unseen. */
    if (wanted->any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &wanted->any, length) < 0 || getsockname(fd, &bound.any, &length) < 0) error = errno;
    close(fd);
    return error ? -error : ntohs(wanted->any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
}

int corch_port_test(const char *text, uint16_t port, int udp) {
    union address address;
    socklen_t length = numeric(text == NULL ? "::" : text, port, &address);
    if (length == 0) return -EINVAL;
    int answer = test(&address, length, udp);
    if (text != NULL || (answer != -EAFNOSUPPORT && answer != -EADDRNOTAVAIL)) return answer;
    length = numeric("0.0.0.0", port, &address);
    return test(&address, length, udp);
}

int corch_tcp_connect(const char *text, uint16_t port) {
    union address address;
    socklen_t length = numeric(text, port, &address);
    if (length == 0) return -EINVAL;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (connect(fd, &address.any, length) == 0 || errno == EINPROGRESS || errno == EINTR) return fd;
    int error = errno;
    close(fd);
    return -error;
}

/* Gives `fd` up for what went wrong. */
static int failed(int fd, int error) {
    if (fd >= 0) close(fd);
    return -error;
}

int corch_tcp_listen(const char *text, uint16_t port, int backlog) {
    union address address;
    socklen_t length = numeric(text, port, &address);
    int on = 1, off = 0;
    if (length == 0) return -EINVAL;
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* [::] is every address of both families, whatever net.ipv6.bindv6only says. */
    if (address.any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &address.any, length) < 0 || listen(fd, backlog) < 0) return failed(fd, errno);
    return fd;
}

/* The file of a bound socket, which must be the one that was just made: in a folder of somebody else's it could be another by now. */
static int own_file(const char *path, uint64_t inode) {
    struct stat status;
    int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) return -errno;
    if (fstat(file, &status) < 0) return failed(file, errno);
    int is_own = inode == 0 ? status.st_uid == geteuid() : status.st_ino == inode;
    if (!S_ISSOCK(status.st_mode) || !is_own || status.st_nlink != 1) return failed(file, ESTALE);
    return file;
}

int corch_unix_file_set(const char *path, uint64_t inode, uint32_t mode, uint32_t uid, uint32_t gid) {
    char place[64];
    int error = 0, file = own_file(path, inode);
    if (file < 0) return file;
    snprintf(place, sizeof place, "/proc/self/fd/%d", file);
    /* The owner comes last: whoever it is could change the file's place. */
    if (chmod(place, mode) < 0 || ((uid != ~0u || gid != ~0u) && fchownat(file, "", uid, gid, AT_EMPTY_PATH) < 0)) error = errno;
    close(file);
    return -error;
}

int corch_unix_stream_listen(const char *path, int backlog) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    int abstract = path[0] == '@';
    if (length == 0 || length - (size_t)abstract >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (abstract) address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    /* Its file is nobody's else before it is given its mode. */
    if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, backlog) < 0)
        return failed(fd, errno);
    return fd;
}

int corch_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return -errno;
    return -error;
}

int corch_notify_bind(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    int on = 1, error = 0, abstract = path[0] == '@';
    if (length == 0 || length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (abstract) address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (!abstract && unlink(path) < 0 && errno != ENOENT) error = errno;
    /* Before bind: what arrives without credentials can't be given any. */
    if (!error && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) error = errno;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
    if (!error && bind(fd, (struct sockaddr *)&address, size) < 0) error = errno;
    if (!error && !abstract && chmod(path, 0666) < 0) error = errno;
    if (!error) return fd;
    close(fd);
    return -error;
}

int64_t corch_notify_receive(int fd, void *buffer, size_t length, int *fds, int *fd_count, int32_t *pid, uint32_t *uid) {
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * CORCH_NOTIFY_FDS_MAX)];
        struct cmsghdr header;
    } control;
    struct iovec part = {buffer, length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int room = *fd_count;
    *fd_count = 0;
    *pid = 0;
    *uid = UINT32_MAX;
    ssize_t received;
    do received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET) continue;
        if (head->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(head), sizeof sender);
            *pid = sender.pid;
            *uid = sender.uid;
        } else if (head->cmsg_type == SCM_RIGHTS) {
            size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t index = 0; index < count; index++) {
                int one;
                memcpy(&one, CMSG_DATA(head) + index * sizeof one, sizeof one);
                if (*fd_count < room)
                    fds[(*fd_count)++] = one;
                else
                    close(one);
            }
        }
    }
    return received;
}
