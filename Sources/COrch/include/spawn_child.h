/* SPDX-License-Identifier: Apache-2.0 */
/* The child between clone and exec. It may share its parent's memory, so it makes raw system calls and
 * nothing else: no libc, no locks, no errno. */
#ifndef SPAWN_CHILD_H
#define SPAWN_CHILD_H

#include "spawn_spec.h"

#include <stddef.h>
#include <stdint.h>

/* What the child writes to its error pipe. Stage NONE: it has its own descriptor table now. Any other: it has
 * failed and ends. The pipe's end without a failure: it has executed, or died; see `reached`. */
struct spawn_report {
    uint32_t stage;
    int32_t error;
};

struct spawn_order {
    struct spawn_spec *spec; /* checked by spawn_spec_check */
    char *path;              /* room for a candidate of the search */
    size_t path_room;
    volatile uint32_t reached; /* the stage the child has come to */
    uint32_t unshare_from;     /* descriptors below are copied, from here on left behind; above every number here */
    int error_fd;              /* > number_max */
    int stdio[3];              /* each > number_max; -1: absent */
    int cgroup;                /* directory, or -1 */
    int write_cgroup;          /* the child moves itself into the group */
    int own_memory;            /* copy instead of share: needed to change oom_score_adj without changing ours */
    int set_oom;
    int oom_score_adj;
    uint32_t extra_count;
    int extras[16];
    uint8_t numbers[16]; /* 3 ... number_max, rising */
    int number_max;
};

/* Checks every offset and turns the arrays into pointers, once. `bytes` is 8-aligned and writable. 0 or -EINVAL. */
int spawn_spec_check(void *bytes, size_t length);

/* Starts the child: clone3(2) (5.3), or clone(2) where a filter forbids clone3. All signals must be blocked.
 * The parent does not wait. Returns the pid and `*pidfd`, or -errno. */
int spawn_start(struct spawn_order *order, void *stack, size_t stack_size, int *pidfd);

/* A child with a copy of our memory and descriptors that runs `body`; otherwise as spawn_start. */
int spawn_copy(int (*body)(void *), void *argument, void *stack, size_t stack_size, int *pidfd);

#endif
