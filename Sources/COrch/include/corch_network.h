/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few questions the daemon asks of sockets that are not its own business: is a port free, does
 * something listen there, who spoke through the notify socket. Same rules as corch.h.
 */
#ifndef CORCH_NETWORK_H
#define CORCH_NETWORK_H

#include <stddef.h>
#include <stdint.h>

/* bind(2) of `port` (0: any free one) at a numeric address, or at every address when it is NULL, then closed again. Returns the
 * port or -errno: -EADDRINUSE when another socket listens there, -EADDRNOTAVAIL when the address is not this host's.
 * TCP with SO_REUSEADDR (socket(7)), so that TIME_WAIT is no conflict and a listener is one; UDP without. */
int corch_port_test(const char *address, uint16_t port, int udp);

/* Listening sockets for others, blocking; each returns the socket or -errno. TCP at a numeric address, with SO_REUSEADDR as above; `::` is
 * every address of both families. A unix path of at most 107 bytes, or '@' and a name in the abstract space: its file has mode 0600, and one
 * that is there is -EADDRINUSE. */
int corch_tcp_listen(const char *address, uint16_t port, int backlog);
int corch_unix_stream_listen(const char *path, int backlog);

/* Mode and owner (~0: as it is) of a socket's file: the one of that inode, or 0: a new one of this user's. -ESTALE when it is anything else. */
int corch_unix_file_set(const char *path, uint64_t inode, uint32_t mode, uint32_t uid, uint32_t gid);

/* Begins connect(2) of a non-blocking TCP socket to a numeric address. Returns the socket: writable
 * once it is decided, then ask corch_socket_error. */
int corch_tcp_connect(const char *address, uint16_t port);

/* SO_ERROR, socket(7): 0 or -errno. */
int corch_socket_error(int fd);

/* 1 when `address` is a numeric IPv4 or IPv6 address. */
int corch_is_numeric_address(const char *address);

/* A datagram socket that tells who sent (SO_PASSCRED, unix(7)), non-blocking, mode 0666. `path` may begin with '@': a name in the
 * abstract space. An existing file of that name is removed first, so hold the lock that guards it. */
int corch_notify_bind(const char *path);

/* One datagram, and the sender as the kernel knows it. `*fd_count` is the room in `fds` on entry and the number received on return; they
 * belong to the caller, and a sender that asked for a barrier waits until they are closed (sd_notify_barrier(3)). Returns its bytes (what
 * does not fit is cut), 0 for an empty one, -EAGAIN when there is none. pid is 0 when the sender is of another pid namespace. */
#define CORCH_NOTIFY_FDS_MAX 253
int64_t corch_notify_receive(int fd, void *buffer, size_t length, int *fds, int *fd_count, int32_t *pid, uint32_t *uid);

#endif
