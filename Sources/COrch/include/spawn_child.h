/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a keeper's request to a program that runs. The child between clone and exec (spawn.c) may share its parent's
 * memory, so it makes raw system calls and nothing else: no libc, no locks, no errno. Where it is meanwhile is a
 * berth (berth.c). One thread, nothing allocated but mappings.
 */
#ifndef SPAWN_CHILD_H
#define SPAWN_CHILD_H

#include "keeper_protocol.h"
#include "spawn_spec.h"

#include <stddef.h>
#include <stdint.h>

/* ---- berth.c ----------------------------------------------------------------------------- */

#define SPAWN_BERTHS 32 /* children between clone and exec */
#define SPAWN_FDS_MAX (7 + KEEPER_EXTRA_MAX)

/* KEEPER_SPAWN as it came. `event` is the room for other messages. */
struct spawn_request {
    union {
        struct keeper_spawn head;
        struct keeper_event event;
    };
    int fds[SPAWN_FDS_MAX], fd_count; /* -1: this process had no room for them */
};

struct spawn_birth {
    int32_t pid, pidfd;
    int report_fd; /* say spawn_has_reported when it is readable; its end: see spawn_outcome */
    int held[2];   /* read ends for its parent to keep; -1: none */
    int berth;
    uint64_t start_ticks; /* proc_pid_stat(5) field 22 */
};

/* Once, first: maps the berths and takes the descriptor numbers below SPAWN_NUMBERS for them, as copies of number 0.
 * 0 or -errno. */
#define SPAWN_NUMBERS (KEEPER_NUMBER_MAX + 1 + SPAWN_BERTHS * SPAWN_RAMP_WIDTH)
int spawn_prepare(void);

/* Keeps this process from the kernel's out-of-memory killer (-1000 in proc_pid_oom_score_adj(5), for which it takes
 * CAP_SYS_RESOURCE), in memory, and from being looked into: specs hold secrets, and a child's core dump would take us
 * along before 5.16. Children get the score that was there before, unless their spec says otherwise. */
void spawn_protect(void);

/* In a child of fork(2) that is to take over so many launches: as the second last to be killed, if this process is the last,
 * and with a heap of large pages (KEEPER_HEAP) where they are many. */
void spawn_ready_heir(uint32_t launches);

/* Requests that wait for a berth. */
#define SPAWN_QUEUE_MAX 1024
int spawn_has_room(void);
void spawn_enqueue(const struct spawn_request *request); /* only while there is room */
/* The oldest, and a free berth for it; NULL when nothing waits or no berth is free. Good until something is queued. */
const struct spawn_request *spawn_next(int *berth);
void spawn_discard(const struct spawn_request *request); /* closes its descriptors */
void spawn_berth_free(int berth);
int spawn_is_idle(void); /* nothing waits, and nobody is between clone and exec */

/* Starts the child on this berth; the parent does not wait. All signals must be blocked. Takes over the request's
 * descriptors. 0, or -errno and the `stage` that failed: then pidfd and report_fd are -1, and held is as asked for. */
int spawn_start(int berth, const struct spawn_request *request, struct spawn_birth *birth, uint8_t *stage);

/* Reads the report; 1 at its end. */
int spawn_has_reported(const struct spawn_birth *birth);

/* SPAWN_STAGE_NONE: the program runs. Otherwise where the child ended, and `*error`. */
uint8_t spawn_outcome(int berth, int32_t *error);

/* Whether what a request says about itself fits what came: descriptors and their numbers. */
int spawn_is_sound(const struct keeper_spawn *head, int fd_count);

/* ---- spawn.c ----------------------------------------------------------------------------- */

/* The child's descriptors before it has put them to their numbers, one behind the other: standard input, output and
 * errors, the control group, the extra ones, the pipe's end. Absent ones are /dev/null. */
#define SPAWN_RAMP_CGROUP 3
#define SPAWN_RAMP_EXTRA 4
#define SPAWN_RAMP_REPORT (SPAWN_RAMP_EXTRA + KEEPER_EXTRA_MAX)
#define SPAWN_RAMP_WIDTH (SPAWN_RAMP_REPORT + 1)

struct spawn_order {
    struct spawn_spec *spec; /* checked by spawn_spec_check */
    size_t spec_length;
    char *path; /* room for a candidate of the search */
    size_t path_room;
    volatile uint32_t reached; /* the stage that the child has come to */
    volatile int32_t error;    /* errno of that stage: it has failed and ends */
    uint32_t unshare_from;     /* descriptors below are copied, one by one; from here on left behind: above the ramp */
    int ramp;                  /* its first number; above every number that a child may ask for */
    int in_cgroup, own_errors; /* a control group came along; standard errors, too: else they go where output does */
    int write_cgroup;          /* the child moves itself into the group */
    int own_memory;            /* copy instead of share: needed to change oom_score_adj without changing ours */
    int set_oom;
    int oom_score_adj;
    uint32_t extra_count;
    uint8_t numbers[16]; /* of the extra ones: 3 ... KEEPER_NUMBER_MAX, rising */
};

/* Checks every offset and turns the arrays into pointers, once. `bytes` is 8-aligned and writable. 0 or -EINVAL. */
int spawn_spec_check(void *bytes, size_t length);

/* The child: clone3(2) (5.3), or clone(2) where a filter forbids clone3. Returns the pid and `*pidfd`, or -errno. */
int spawn_clone(struct spawn_order *order, void *stack, size_t stack_size, int *pidfd);

#endif
