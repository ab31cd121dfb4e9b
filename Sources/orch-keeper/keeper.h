/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orch-keeper: creates every service process and reaps it, holds the log pipes, the pidfds and the listening
 * socket, and starts the daemon again when it dies. One thread, no heap, no parser, no file system after the
 * start. Tables are static and touched only as far as they are used.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "corch.h"
#include "keeper_protocol.h"
#include "spawn_child.h"

#define ARGUMENTS_MAX 128
#define STACKS 32        /* children between clone and exec */
#define STACK_SIZE 12288
#define RAMPS 8          /* children that still share our descriptor table */
#define RAMP_WIDTH 17    /* three standard ones, a control group, KEEPER_EXTRA_MAX, the error pipe */
#define RAMP_FIRST (KEEPER_NUMBER_MAX + 1)
#define RAMP_END (RAMP_FIRST + RAMPS * RAMP_WIDTH)
#define QUEUE_BYTES (4 << 20)
#define MESSAGES_PER_TURN 16
#define FDS_MAX (7 + KEEPER_EXTRA_MAX)
#define NONE 0xffff
#define SECOND INT64_C(1000000000)

/* Seconds until a message that nobody reads makes us ask; until the answer is missed; between signals. */
#ifndef SILENCE
#define SILENCE 10
#define ANSWER 10
#define MERCY 5
#endif

enum { PENDING_SPAWNED = 1, PENDING_EXECED = 2, PENDING_FAILED = 4, PENDING_EXITED = 8 };
enum { SOURCE_SIGNAL, SOURCE_SOCKET, SOURCE_DAEMON, SOURCE_CHILD, SOURCE_REPORT };

struct slot {
    uint64_t launch; /* 0: free */
    uint64_t start_ticks, user_usec, system_usec;
    int32_t pid, pidfd, report_fd, held[2], code, status, error;
    uint16_t next_by_launch, next_by_pid, next_pending;
    uint8_t state, stage, pending, listed;
    int8_t stack, ramp; /* -1: none */
    uint8_t boarded;    /* descriptors on the ramp, without the error pipe */
};

struct request {
    struct keeper_spawn head;
    char spec[KEEPER_SPEC_INLINE_MAX];
} __attribute__((aligned(8)));

/* start.c: what never changes after the start */
struct settings {
    const char *socket_path, *lock_path, *daemon_path;
    char *daemon_arguments[ARGUMENTS_MAX + 8];
    int daemon_argument_count, foreground, ready_fd, lock_fd, listen_fd, epoll, signals;
    int inherited_oom, oom; /* what services get unless told otherwise; ours */
    uint8_t boot_id[16];
};
extern struct settings settings;
void start_up(int count, char **arguments);
_Noreturn void end(int code, const char *fact, const char *reason); /* tells the starter, too */
enum { END_USAGE = 2, END_LOCKED = 4, END_DAEMON = 5, END_SYSTEM = 6 };

/* slots.c: the table */
extern struct slot slots[KEEPER_SLOTS_MAX];
extern uint32_t slots_used, slots_live; /* high-water mark of indexes; launches in the table */
extern uint64_t highest_launch, highest_own_launch; /* of services; of the daemon's own (KEEPER_LAUNCH_OWN) */
uint32_t slot_take(uint64_t launch);
uint32_t slot_of_launch(uint64_t launch);
uint32_t slot_of_pid(int32_t pid);
void slot_has_pid(uint32_t index, int32_t pid);
void slot_reaped(uint32_t index); /* the number may come back as somebody else's */
void slot_drop_fds(uint32_t index);
void slot_release(uint32_t index);
void slot_reuse(uint32_t index); /* after release, once no list holds it */

/* launch.c: children on their way */
void launch_prepare(void);
void launch_request(struct request *request, size_t length, int *fds, int fd_count);
void launch_queued(void);
int launch_has_room(void);
void launch_read_report(uint32_t index);
void launch_reap(uint32_t index);
void launch_reap_orphans(void);

/* link.c: the daemon's end of the wire */
extern int link_fd;
extern int64_t link_retry; /* when to try again what the kernel refused for now; 0: nothing */
void link_open(int fd);
void link_close(void);
void link_read(void);
void link_read_last_words(void);
void link_flush(void);
void link_note(uint32_t index, uint8_t pending);
void link_refuse(uint64_t launch, uint8_t stage, int error);
void link_ping(void);
int link_outstanding(void);

/* daemon.c: its process and its watchdog */
extern int daemon_pidfd, daemon_said; /* its process; 1 << KEEPER_HELLO, _SHUTDOWN, _RESTART */
extern uint64_t daemon_starts;
void daemon_start(void);
void daemon_ended(void);
int daemon_is(int32_t pid);
void daemon_signal(int signal);
void daemon_expect(void);    /* something was sent: look later whether it was read */
void daemon_answered(void);  /* a PONG came */
void daemon_hung_up(void);   /* its end of the socket is closed, or it does not speak our language */
int64_t daemon_tick(void);   /* does what is due; the next deadline on CLOCK_MONOTONIC, 0: none */

#endif
