/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Swift's Glibc module can't say to Linux: the GNU-only calls, behind functions that allocate
 * nothing, never touch errno as a result and return a value >= 0 or -errno. EINTR is retried where
 * a retry is meaningful; callers see -EAGAIN. Descriptors are created close-on-exec, always.
 * Every entry names its manual page and the first kernel that has it.
 */
#ifndef CORCH_H
#define CORCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/* ---- events ------------------------------------------------------------------------------ */

/* epoll_create1(2), 2.6.27. A new epoll instance. */
int corch_epoll_create(void);

/* epoll_ctl(2), 2.6. `operation` is EPOLL_CTL_ADD, _MOD or _DEL; `data` comes back in
 * `epoll_event.data.u64`. Delete a pidfd before closing it: a copy elsewhere keeps it registered. */
int corch_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);

/* epoll_wait(2), 2.6. Returns the number of events. `timeout_ms` -1 waits without end. -EINTR is
 * returned, not retried, because the timeout would start again. */
int corch_epoll_wait(int epoll, struct epoll_event *events, int maximum, int timeout_ms);

/* epoll_pwait2(2), 5.11: as above with nanoseconds (-1 waits without end). Older kernels get the
 * timeout rounded up to a millisecond. */
int corch_epoll_wait_ns(int epoll, struct epoll_event *events, int maximum, int64_t timeout_ns);

/* eventfd(2), 2.6.27. Close-on-exec and non-blocking. */
int corch_eventfd(uint32_t initial);

/* timerfd_create(2), 2.6.25. `clock` is CLOCK_MONOTONIC, CLOCK_BOOTTIME or CLOCK_REALTIME. */
int corch_timerfd(int clock);

/* timerfd_settime(2), 2.6.25. `deadline_ns` on the timer's clock, absolute; 0 disarms.
 * `cancel_on_set` != 0 makes reads fail with ECANCELED when the real-time clock is stepped
 * (TFD_TIMER_CANCEL_ON_SET, 3.0). */
int corch_timerfd_set(int fd, int64_t deadline_ns, int64_t interval_ns, int cancel_on_set);

/* A set of signals as bits: signal N is bit N-1. */
#define CORCH_SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

/* sigprocmask(2). Blocks the set in the calling thread. Threads created later inherit it. */
int corch_block_signals(uint64_t set);

/* rt_sigaction(2): every signal's action becomes the default one, those that glibc hides included. */
void corch_default_signals(void);

/* signalfd(2), 2.6.27. Close-on-exec and non-blocking; read `struct signalfd_siginfo` from it. */
int corch_signalfd(uint64_t set);

/* What kind of file system a path is on: statfs(2), f_type, or -errno. */
int64_t corch_file_system(const char *path);

/* inotify_init1(2), 2.6.27. Close-on-exec and non-blocking. -EMFILE: fs.inotify.max_user_instances. */
int corch_inotify(void);

/* inotify_add_watch(2), 2.6.13. Returns the watch. -ENOSPC: fs.inotify.max_user_watches. */
int corch_inotify_add(int fd, const char *path, uint32_t mask);

/* inotify_rm_watch(2), 2.6.13. */
int corch_inotify_remove(int fd, int watch);

/* ---- descriptors, pipes, files ----------------------------------------------------------- */

/* pipe2(2), 2.6.27. `fds[0]` is the read end. O_CLOEXEC is added to `flags` (O_NONBLOCK, O_DIRECT). */
int corch_pipe(int fds[2], int flags);

/* F_SETPIPE_SZ / F_GETPIPE_SZ, fcntl(2), 2.6.35. Bytes; -EPERM above fs.pipe-max-size or when the
 * user's pipe pages are used up (from the 1,025th pipe on an unprivileged user gets 8 KiB). */
int corch_pipe_set_size(int fd, int bytes);
int corch_pipe_get_size(int fd);

/* FIONREAD, ioctl_tty(2): bytes waiting in a pipe, socket or inotify instance. */
int corch_bytes_readable(int fd);

/* dup3(2), 2.6.27. `target` is replaced, close-on-exec. */
int corch_dup3(int fd, int target);

/* F_DUPFD_CLOEXEC, fcntl(2), 2.6.24: a copy at the lowest free number >= `minimum`. */
int corch_dup_above(int fd, int minimum);

/* close_range(2), 5.9 (`CORCH_CLOSE_RANGE_CLOEXEC`: 5.11). Inclusive. */
#define CORCH_CLOSE_RANGE_CLOEXEC 4u
int corch_close_range(uint32_t first, uint32_t last, uint32_t flags);

/* For a program that starts: 0 becomes /dev/null, 1 and 2 too when they are closed, everything else is closed except
 * `fd` (-1: none), which is moved to a number >= `minimum`. RLIMIT_NOFILE is raised to its hard limit. Returns the
 * moved one, or -1. With `keeps_above` nothing is moved, and what is at `minimum` and above stays, close-on-exec. */
int corch_keep_only(int fd, int minimum, int keeps_above);

/* splice(2), 2.6.17. File offsets are the descriptors' own. `flags` is CORCH_SPLICE_*. A file opened
 * with O_APPEND gives -EINVAL. */
#define CORCH_SPLICE_MOVE 1u
#define CORCH_SPLICE_NONBLOCK 2u
#define CORCH_SPLICE_MORE 4u
int64_t corch_splice(int from, int to, size_t length, uint32_t flags);

/* splice(2) into a file at an explicit offset, which is advanced. */
int64_t corch_splice_at(int from, int to, int64_t *offset, size_t length, uint32_t flags);

/* tee(2), 2.6.17. Copies pipe to pipe without consuming. */
int64_t corch_tee(int from, int to, size_t length, uint32_t flags);

/* memfd_create(2), 3.17, sealable; MFD_NOEXEC_SEAL (6.3) where the kernel has it. */
int corch_memfd(const char *name);

/* F_ADD_SEALS, fcntl(2), 3.17: adds SEAL, SHRINK, GROW and WRITE, so that a reader may map it. */
int corch_memfd_seal(int fd);

/* F_GET_SEALS: 1 when at least SHRINK, GROW and WRITE are sealed, 0 when not. */
int corch_memfd_is_sealed(int fd);

/* openat2(2), 5.6. O_CLOEXEC is added. `resolve` is CORCH_RESOLVE_*. */
#define CORCH_RESOLVE_NO_XDEV 0x01u
#define CORCH_RESOLVE_NO_MAGICLINKS 0x02u
#define CORCH_RESOLVE_NO_SYMLINKS 0x04u
#define CORCH_RESOLVE_BENEATH 0x08u
#define CORCH_RESOLVE_IN_ROOT 0x10u
int corch_openat2(int directory, const char *path, int flags, uint32_t mode, uint64_t resolve);

/* O_PATH and O_TMPFILE of open(2) (2.6.39, 3.11), which need a GNU macro elsewhere. */
extern const int corch_O_PATH;
extern const int corch_O_TMPFILE;

/* renameat2(2), 3.15. `flags` is CORCH_RENAME_*. */
#define CORCH_RENAME_NOREPLACE 1u
#define CORCH_RENAME_EXCHANGE 2u
int corch_renameat2(int from_directory, const char *from, int to_directory, const char *to, uint32_t flags);

/* Makes the file `path` (0600, no symbolic link) if need be and locks it. Returns the descriptor that holds the lock;
 * -EWOULDBLOCK when another process holds it, and then `*holder` is the number that the file begins with. */
int corch_lock(const char *path, int32_t *holder);

/* Lets the locked file begin with the pid of this process. 0 or -errno. */
int corch_lock_sign(int lock);

/* flock(2). `exclusive` != 0 for LOCK_EX. Never blocks: -EWOULDBLOCK when another holds it. */
int corch_flock(int fd, int exclusive);

/* ---- sockets ----------------------------------------------------------------------------- */

/* socketpair(2): AF_UNIX, SOCK_SEQPACKET, close-on-exec, non-blocking. */
int corch_socketpair(int fds[2]);

/* accept4(2), 2.6.28. Close-on-exec and non-blocking. */
int corch_accept(int fd);

/* bind(2) + listen(2) of a unix stream socket, mode 0600, non-blocking; an existing file of that
 * name is removed first, so hold the lock that guards it. Paths longer than the 107 bytes of
 * unix(7) are bound through the proc file system. Returns the socket. */
int corch_unix_listen(const char *path, int backlog);

/* The same with SOCK_SEQPACKET: what was sent as one comes as one. */
int corch_packet_listen(const char *path, int backlog);
int corch_packet_connect(const char *path);

/* connect(2) to a unix stream socket of any path length. Returns the (blocking) socket. */
int corch_unix_connect(const char *path);

/* connect(2) to a unix datagram socket of any path length. Returns the non-blocking socket. */
int corch_datagram_connect(const char *path);

/* sendmsg(2) with SCM_RIGHTS (unix(7)), never SIGPIPE: head and body are sent as one. At most
 * CORCH_FDS_MAX descriptors; they stay open here. Returns the bytes sent. `flags`: MSG_DONTWAIT. */
#define CORCH_FDS_MAX 32
int64_t corch_send(int fd, const void *head, size_t head_length, const void *body, size_t body_length,
                   const int *fds, int fd_count, int flags);

/* recvmsg(2), MSG_CMSG_CLOEXEC. `*fd_count` is the room in `fds` on entry and the number received on
 * return; they belong to the caller. It is -1 when not all of them came: this process has no room for them (EMFILE, unix(7)) or
 * the caller has not; those that arrived are closed, and the message is whole. Returns bytes, 0 at the end of the stream,
 * -EMSGSIZE when the message was cut. */
int64_t corch_receive(int fd, void *buffer, size_t length, int *fds, int *fd_count, int flags);

/* SO_PEERCRED, unix(7). Only uid and gid may decide anything; the pid is decoration. */
int corch_peer_credentials(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);

/* poll(2): there is something to read, or to accept, now. */
int corch_is_readable(int fd);

/* poll(2) of a pipe's read end: all that was written is read, and nobody is left to write. So is what is no descriptor. */
int corch_is_drained(int fd);

/* close(2), once: it is -1 then. */
void corch_drop(int *fd);

/* SIOCOUTQ, unix(7): bytes sent that the peer has not read yet. */
int corch_bytes_unsent(int fd);

/* ---- terminals --------------------------------------------------------------------------- */

/* pty(7): `fds[0]` is the side that holds the terminal, non-blocking, `fds[1]` the terminal itself (TIOCGPTPEER, 4.13). 0 or -errno. */
int corch_terminal_open(int fds[2]);

/* TIOCSWINSZ, ioctl_tty(2), in characters: whoever is in the foreground there gets SIGWINCH. 0 or -errno. */
int corch_terminal_resize(int fd, uint16_t rows, uint16_t columns);

/* ---- processes --------------------------------------------------------------------------- */

/* pidfd_open(2), 5.3. */
int corch_pidfd_open(int32_t pid);

/* pidfd_getfd(2), 5.6: a copy of the process's descriptor of that number, close-on-exec. Takes the right to trace it. */
int corch_pidfd_getfd(int pidfd, int number);

/* setns(2), 5.8: this process, which has one thread, gets the mounts of that one, and is in its user namespace where it takes that. */
int corch_join_mounts(int pidfd);

/* pidfd_send_signal(2), 5.1. Signal 0 asks whether the process is still unreaped. */
int corch_pidfd_signal(int pidfd, int signal);

/* PIDFD_SIGNAL_PROCESS_GROUP, pidfd_send_signal(2), 6.9: the process group led by the pidfd's process,
 * also after the leader is gone. Older kernels: kill(2) of group `pid`, and only while the
 * pidfd proves that the leader is not reaped, so the number can't have been recycled. */
int corch_pidfd_signal_group(int pidfd, int32_t pid, int signal);

/* PIDFD_GET_INFO with PIDFD_INFO_EXIT, 6.15: the wait status (as waitpid(2) gives it) of a process
 * that its parent has reaped. -ENODATA while it lives or is a zombie, -ENOTTY/-EINVAL on older kernels. */
int corch_pidfd_exit_status(int pidfd, int32_t *status);

/* waitid(2) P_PIDFD (5.4), WEXITED|WNOHANG, with __WALL. Returns 1 and fills code (CLD_*), status and the
 * times in microseconds, 0 when still running. `keep` != 0 adds WNOWAIT: the zombie stays. */
int corch_wait_pidfd(int pidfd, int keep, int32_t *code, int32_t *status, uint64_t *user_usec, uint64_t *system_usec);

/* The end of a process that is another's child, its zombie too, by its pidfd. 1 and code and status as above, or code 0 when
 * nobody can tell (before 6.15). 0: it lives; while `patient`, also that its parent has not reaped it yet, which the
 * pidfd's POLLHUP will say. */
int corch_wait_stranger(int pidfd, int patient, int32_t *code, int32_t *status);

/* prctl(2) with one argument, e.g. PR_SET_CHILD_SUBREAPER (3.4). */
int corch_prctl(int option, unsigned long argument);
int corch_set_subreaper(void);

/* For a child of fork(2) that is to execute something: copies of `fds` at the numbers 3 and up (those of -1 stay as they
 * are), a session of its own, no signal blocked. */
void corch_child_begin(const int *fds, int count);

/* proc_pid_oom_score_adj(5), 2.6.36, of this process: writes `set` unless it is NULL, and returns what holds then. 0 when
 * it can't be read. */
int corch_oom_score_adj(const char *set);

/* ioprio_set(2), 2.6.13, of the process `pid` (0: caller). `priority` is class << 13 | data. */
int corch_ioprio_set(int32_t pid, int32_t priority);

/* Field 22 of proc_pid_stat(5): when the process started, in ticks of 1/100 s since boot. Together with
 * the boot id it tells two processes of one pid apart. -ESRCH when there is none. */
int64_t corch_process_start_ticks(int32_t pid);

/* ---- for tests ---------------------------------------------------------------------------- */

/* A failpoint, in debug builds only: the process ends here when the file that the variable ORCH_FAILPOINT names says
 * `NAME kill` (SIGKILL) or `NAME exit` (3). The file is removed, so it happens once. The names are OrchModel's `Failpoint`. */
void corch_failpoint(const char *name);
#ifdef ORCH_FAILPOINTS
#define FAILPOINT(name) corch_failpoint(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

/* ---- time and chance --------------------------------------------------------------------- */

/* clock_gettime(2): nanoseconds of `clock` (CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME). */
int64_t corch_clock(int clock);

/* Of `timers`, instants on CLOCK_MONOTONIC in nanoseconds, 0 for none: one that is due, which becomes 0, or -1. */
int corch_timer_due(int64_t *timers, int count);

/* Nanoseconds until the first of them is due, at least 0; -1 when there is none. */
int64_t corch_timer_left(const int64_t *timers, int count);

/* getrandom(2), 3.17. Fills the whole buffer. */
int corch_random(void *buffer, size_t length);

/* The first bit that is set among `words` from `from` on, round and round; -1 when none is. */
int corch_bit_next(const uint64_t *bits, uint32_t words, uint32_t from);

/* /proc/sys/kernel/random/boot_id, random(4), as 16 bytes. */
int corch_boot_id(uint8_t identifier[16]);

/* setfsuid(2), setfsgid(2), setgroups(2), 2.6: what the calling thread asks of files is judged as if that user asked, and there is no
 * way back: let the thread end. Needs root. */
int corch_see_files_as(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count);

/* faccessat2(2), 5.8: whether the calling thread may, as it would for a call of its own. `mode` is of access(2). */
int corch_access(const char *path, int mode);

/* Whether statfs(2) of a path comes back in time: 1, 0 or -errno. A child asks, which is left behind when it doesn't: one that waits for
 * a file system can be beyond any signal, and then so would be the program that has such a thread. */
int corch_file_system_answers(const char *path, int timeout_ms);

/* clone3(2), 5.3: -EINVAL where it is there, -ENOSYS or -EPERM where it is not or a filter forbids it. Makes nothing. */
int corch_has_clone3(void);

#endif
