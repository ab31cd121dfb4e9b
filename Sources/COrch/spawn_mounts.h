/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPAWN_MOUNTS_H
#define SPAWN_MOUNTS_H

#include "spawn_child.h"

/* mounts.c, in the child, before it becomes who it is to be. Each does nothing where the spec does not ask for it. */
void mounts_join(struct spawn_order *order);
void mounts_take(struct spawn_order *order);

#endif
