/* SPDX-License-Identifier: Apache-2.0 */
/* How a child between clone and exec goes from stage to stage: spawn.c, mounts.c. */
#ifndef SPAWN_STEPS_H
#define SPAWN_STEPS_H

#include "raw.h"
#include "spawn_child.h"

#include <sys/syscall.h>

static inline void fail(struct spawn_order *order, long error) {
    order->error = (int32_t)-error;
    for (;;) raw(SYS_exit_group, 125);
}

static inline void reach(struct spawn_order *order, uint32_t stage) { order->reached = stage; }

static inline void step(struct spawn_order *order, long result) {
    if (result < 0) fail(order, result);
}

static inline struct spawn_confinement *confinement(struct spawn_order *order) {
    return (struct spawn_confinement *)(void *)((char *)order->spec + order->spec->confinement);
}

static inline char **strings(struct spawn_spec *spec, uint32_t offset) { return (char **)(void *)((char *)spec + offset); }

#endif
