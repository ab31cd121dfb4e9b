/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <unistd.h>

#define QUEUE_MAX 1024 /* launches that wait for a berth; while it is full no request is read */

struct slot slots[KEEPER_SLOTS_MAX];
uint32_t slots_used, slots_live;
uint64_t highest_launch[2];

/* Whose each slot is; 0: nobody's. One behind the other, so that a walk over thousands costs less than a system call. */
static uint64_t launches[KEEPER_SLOTS_MAX];

static struct spawn_request queue[QUEUE_MAX];
static uint32_t queue_first, queue_count;

static uint32_t slot_of_launch(uint64_t launch) {
    for (uint32_t index = 0; index < slots_used; index++)
        if (launches[index] == launch) return index;
    return NONE;
}

static uint32_t slot_take(uint64_t launch) {
    uint32_t index = slot_of_launch(0);
    if (index == NONE && slots_used < KEEPER_SLOTS_MAX) index = slots_used++;
    if (index == NONE) return NONE;
    launches[index] = launch;
    slots[index] = (struct slot){
        .launch = launch, .state = KEEPER_QUEUED, .birth = {.pidfd = -1, .report_fd = -1, .held = {-1, -1}}};
    slots_live++;
    return index;
}

static int is_alive(const struct slot *slot) { return slot->state == KEEPER_STARTING || slot->state == KEEPER_RUNNING; }

/* A number that was reaped may come back as somebody else's. */
int launch_reap_pid(int32_t pid) {
    for (uint32_t index = 0; index < slots_used; index++) {
        if (slots[index].birth.pid != pid || !is_alive(&slots[index])) continue;
        launch_reap(index);
        return 1;
    }
    return 0;
}

static void drop(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void launch_acknowledged(uint64_t launch) {
    uint32_t index = slot_of_launch(launch);
    if (index == NONE || is_alive(&slots[index])) return;
    drop(&slots[index].birth.held[0]);
    drop(&slots[index].birth.held[1]);
    drop(&slots[index].birth.pidfd);
    slots[index] = (struct slot){.launch = launches[index] = 0};
    slots_live--;
}

static void come_to(uint32_t index, uint8_t state) {
    slots[index].state = state;
    link_note(index);
}

static void fail(uint32_t index, uint8_t stage, int error) {
    drop(&slots[index].birth.held[0]);
    drop(&slots[index].birth.held[1]);
    slots[index].stage = stage;
    slots[index].error = error;
    come_to(index, KEEPER_FAILED);
}

static void launch(uint32_t index, const struct spawn_request *request, int berth) {
    struct spawn_birth *birth = &slots[index].birth;
    uint8_t stage;
    int error = spawn_start(berth, request, birth, &stage);
    if (error < 0) {
        spawn_berth_free(berth);
        return fail(index, stage, -error);
    }
    watch(birth->pidfd, SOURCE_CHILD, index);
    watch(birth->report_fd, SOURCE_REPORT, index);
    come_to(index, KEEPER_STARTING);
}

static void discard(const struct spawn_request *request) {
    for (int index = 0; index < request->fd_count; index++) close(request->fds[index]);
}

void launch_queued(void) {
    for (int berth; queue_count > 0 && (berth = spawn_berth_take()) >= 0; queue_count--) {
        const struct spawn_request *request = &queue[queue_first++ % QUEUE_MAX];
        uint32_t index = slot_of_launch(request->head.launch);
        if (index != NONE) {
            launch(index, request, berth);
        } else { /* cancelled meanwhile */
            discard(request);
            spawn_berth_free(berth);
        }
    }
}

int launch_has_room(void) { return queue_count < QUEUE_MAX; }

/* The new launch's slot; NONE when it is none, which is answered: by all that is known of it, or by a refusal. */
static uint32_t admit(uint64_t launch) {
    uint64_t *highest = &highest_launch[(launch & KEEPER_LAUNCH_OWN) != 0];
    uint32_t index = slot_of_launch(launch);
    if (index != NONE) {
        slots[index].told = 0;
        link_note(index);
        return NONE;
    }
    if (launch <= *highest) {
        link_refuse(launch, SPAWN_STAGE_STALE, ESTALE);
        return NONE;
    }
    *highest = launch;
    if (launch_has_room()) index = slot_take(launch);
    if (index == NONE) link_refuse(launch, SPAWN_STAGE_TABLE, ENOSPC);
    return index;
}

void launch_request(const struct spawn_request *request) {
    uint32_t index = admit(request->head.launch);
    int is_sound = spawn_is_sound(&request->head, request->fd_count);
    if (index != NONE && !is_sound) fail(index, SPAWN_STAGE_SPEC, EINVAL);
    if (index == NONE || !is_sound) return discard(request);
    queue[(queue_first + queue_count++) % QUEUE_MAX] = *request;
}

/* It has executed, failed, or was killed on its way. */
static void conclude(uint32_t index) {
    struct slot *slot = &slots[index];
    drop(&slot->birth.report_fd);
    slot->stage = spawn_outcome(slot->birth.berth, &slot->error);
    spawn_berth_free(slot->birth.berth);
    if (slot->stage == SPAWN_STAGE_NONE) come_to(index, KEEPER_RUNNING); /* else told once it is reaped */
}

void launch_read_report(uint32_t index) {
    const struct spawn_birth *birth = &slots[index].birth;
    ssize_t length;
    if (slots[index].state != KEEPER_STARTING || birth->report_fd < 0) return;
    for (char byte; (length = read(birth->report_fd, &byte, 1)) > 0;) spawn_detached(birth->berth);
    if (length == 0) conclude(index);
}

/* Peek, record, then reap: whatever happens to us in between, the status is not lost. */
void launch_reap(uint32_t index) {
    struct slot *slot = &slots[index];
    int pidfd = slot->birth.pidfd;
    if (!is_alive(slot)) return;
    if (corch_wait_pidfd(pidfd, 1, &slot->code, &slot->status, &slot->user_usec, &slot->system_usec) != 1) return;
    if (slot->birth.report_fd >= 0) conclude(index); /* a child born meanwhile may hold a copy of the pipe's end */
    corch_epoll_ctl(keeper.epoll, EPOLL_CTL_DEL, pidfd, 0, 0);
    corch_wait_pidfd(pidfd, 0, &slot->code, &slot->status, &slot->user_usec, &slot->system_usec);
    if (slot->state == KEEPER_RUNNING) come_to(index, KEEPER_ENDED);
    else fail(index, slot->stage, slot->error);
}
