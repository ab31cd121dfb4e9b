/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <unistd.h>

#define BUCKETS (KEEPER_SLOTS_MAX * 2)

struct slot slots[KEEPER_SLOTS_MAX];
uint32_t slots_used, slots_live;
uint64_t highest_launch, highest_own_launch;

/* Heads hold index + 1, so that untouched memory means empty. Launch ids and pids mostly rise by one: the
 * low bits spread them and neighbours share a page. */
static uint16_t by_launch[BUCKETS], by_pid[BUCKETS];
static uint16_t free_slots[KEEPER_SLOTS_MAX];
static uint32_t free_count;

static uint16_t *bucket(uint16_t *heads, uint64_t key) { return &heads[key % BUCKETS]; }

uint32_t slot_take(uint64_t launch) {
    if (free_count == 0 && slots_used == KEEPER_SLOTS_MAX) return NONE;
    uint32_t index = free_count > 0 ? free_slots[--free_count] : slots_used++;
    uint16_t *head = bucket(by_launch, launch);
    slots[index] = (struct slot){.launch = launch, .pidfd = -1, .report_fd = -1, .held = {-1, -1},
                                 .stack = -1, .ramp = -1, .state = KEEPER_QUEUED, .next_by_launch = *head};
    *head = (uint16_t)(index + 1);
    slots_live++;
    return index;
}

uint32_t slot_of_launch(uint64_t launch) {
    uint16_t link = *bucket(by_launch, launch);
    while (link != 0 && slots[link - 1].launch != launch) link = slots[link - 1].next_by_launch;
    return link == 0 ? NONE : link - 1u;
}

uint32_t slot_of_pid(int32_t pid) {
    uint16_t link = *bucket(by_pid, (uint64_t)pid);
    while (link != 0 && slots[link - 1].pid != pid) link = slots[link - 1].next_by_pid;
    return link == 0 ? NONE : link - 1u;
}

void slot_has_pid(uint32_t index, int32_t pid) {
    uint16_t *head = bucket(by_pid, (uint64_t)pid);
    slots[index].pid = pid;
    slots[index].next_by_pid = *head;
    *head = (uint16_t)(index + 1);
}

void slot_reaped(uint32_t index) {
    uint16_t *link = bucket(by_pid, (uint64_t)slots[index].pid);
    while (*link != 0 && *link != index + 1) link = &slots[*link - 1].next_by_pid;
    if (*link != 0) *link = slots[index].next_by_pid;
}

void slot_drop_fds(uint32_t index) {
    for (int end = 0; end < 2; end++) {
        if (slots[index].held[end] >= 0) close(slots[index].held[end]);
        slots[index].held[end] = -1;
    }
}

void slot_release(uint32_t index) {
    struct slot *slot = &slots[index];
    uint16_t *link = bucket(by_launch, slot->launch);
    while (*link != index + 1) link = &slots[*link - 1].next_by_launch;
    *link = slot->next_by_launch;
    slot_reaped(index);
    slot_drop_fds(index);
    if (slot->pidfd >= 0) close(slot->pidfd);
    slot->launch = 0;
    slot->pid = 0;
    slot->pending = 0;
    slots_live--;
    if (!slot->listed) slot_reuse(index);
}

void slot_reuse(uint32_t index) { free_slots[free_count++] = (uint16_t)index; }
