/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

struct slot slots[KEEPER_SLOTS_MAX];
uint32_t slots_used, slots_live;
uint64_t highest_launch[2];

/* Whose each slot is; 0: nobody's. One behind the other, so that a walk over thousands costs less than a system call. */
static uint64_t launches[KEEPER_SLOTS_MAX];

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
    slots[index] = (struct slot){.fact = {.launch = launch, .state = KEEPER_QUEUED},
                                 .birth = {.pidfd = -1, .report_fd = -1, .held = {-1, -1}}};
    slots_live++;
    return index;
}

static int is_alive(const struct slot *slot) {
    return slot->fact.state == KEEPER_STARTING || slot->fact.state == KEEPER_RUNNING;
}

/* A number that was reaped may come back as somebody else's. */
int launch_reap_pid(int32_t pid) {
    for (uint32_t index = 0; index < slots_used; index++) {
        if (slots[index].fact.pid != pid || !is_alive(&slots[index])) continue;
        launch_reap(index, 1);
        return 1;
    }
    return 0;
}

static void let_go(struct spawn_birth *birth) {
    for (int end = 0; end < 2; end++) corch_epoll_ctl(keeper.pipes, EPOLL_CTL_DEL, birth->held[end], 0, 0);
    corch_drop(&birth->held[0]), corch_drop(&birth->held[1]), corch_drop(&birth->pidfd);
}

/* Output that nobody reads shows that the daemon hangs: the service would, too, once its pipe is full. */
static void hold(const struct slot *slot) {
    for (int end = 0; end < 2; end++)
        corch_epoll_ctl(keeper.pipes, EPOLL_CTL_ADD, slot->birth.held[end], EPOLLIN, (uint32_t)slot->birth.held[end]);
}

int launch_has_output(void) {
    struct epoll_event events[64];
    int has_output = 0;
    for (int index = corch_epoll_wait(keeper.pipes, events, 64, 0); index-- > 0;) {
        int fd = (int)events[index].data.u64;
        if (corch_bytes_readable(fd) > 0) has_output = 1;
        else if (events[index].events & EPOLLHUP) corch_epoll_ctl(keeper.pipes, EPOLL_CTL_DEL, fd, 0, 0); /* for ever */
    }
    return has_output;
}

void launch_acknowledged(uint64_t launch) {
    uint32_t index = slot_of_launch(launch);
    if (index == NONE || is_alive(&slots[index])) return;
    let_go(&slots[index].birth), FAILPOINT("end-acknowledged");
    slots[index].fact.launch = launches[index] = 0;
    slots_live--;
}

void launch_lighten(uint32_t index) {
    struct spawn_birth *birth = &slots[index].birth;
    if (!is_alive(&slots[index]) && corch_is_drained(birth->held[0]) && corch_is_drained(birth->held[1])) let_go(birth);
}

static void come_to(uint32_t index, uint8_t state) {
    slots[index].fact.state = state;
    link_note(index);
}

static void fail(uint32_t index, uint8_t stage, int error) {
    let_go(&slots[index].birth);
    slots[index].fact.stage = stage, slots[index].fact.error = error;
    come_to(index, KEEPER_FAILED);
}

static void launch(uint32_t index, const struct spawn_request *request, int berth) {
    struct spawn_birth *birth = &slots[index].birth;
    uint8_t stage;
    int error = spawn_start(berth, request, birth, &stage);
    if (error < 0) return spawn_berth_free(berth), fail(index, stage, -error);
    slots[index].fact.pid = birth->pid, slots[index].fact.start_ticks = birth->start_ticks;
    watch(birth->pidfd, SOURCE_CHILD, index);
    watch(birth->report_fd, SOURCE_REPORT, index);
    hold(&slots[index]), FAILPOINT("birth-recorded");
    come_to(index, KEEPER_STARTING);
}

void launch_queued(void) {
    const struct spawn_request *request;
    for (int berth; (request = spawn_next(&berth)) != NULL;) {
        uint32_t index = slot_of_launch(request->head.launch);
        if (index != NONE) launch(index, request, berth);
        else spawn_discard(request), spawn_berth_free(berth); /* cancelled meanwhile */
    }
}

/* The new launch's slot; NONE when it is none, which is answered: by all that is known of it, or by a refusal. */
static uint32_t admit(uint64_t launch) {
    uint64_t *highest = &highest_launch[(launch & KEEPER_LAUNCH_OWN) != 0];
    uint32_t index = slot_of_launch(launch);
    if (index != NONE) slots[index].told = 0, link_note(index);
    else if (launch <= *highest) link_refuse(launch, SPAWN_STAGE_STALE, ESTALE);
    if (index != NONE || launch <= *highest) return NONE;
    *highest = launch;
    if (spawn_has_room()) index = slot_take(launch);
    if (index == NONE) link_refuse(launch, SPAWN_STAGE_TABLE, ENOSPC);
    return index;
}

void launch_request(const struct spawn_request *request) {
    static uint32_t next; /* with each launch a few of the table: ends that nobody acknowledges must not use up our descriptors */
    for (int count = 0; count < 8 && slots_used > 0; count++) launch_lighten(next = (next + 1) % slots_used);
    uint32_t index = admit(request->head.launch);
    int is_sound = spawn_is_sound(&request->head, request->fd_count);
    if (index != NONE && request->fd_count < 0) fail(index, SPAWN_STAGE_PIPE, EMFILE);
    else if (index != NONE && !is_sound) fail(index, SPAWN_STAGE_SPEC, EINVAL);
    if (index == NONE || !is_sound) return spawn_discard(request);
    spawn_enqueue(request), FAILPOINT("launch-queued");
}

/* It has executed, failed, or was killed on its way. */
static void conclude(uint32_t index) {
    struct slot *slot = &slots[index];
    corch_drop(&slot->birth.report_fd);
    slot->fact.stage = spawn_outcome(slot->birth.berth, &slot->fact.error);
    spawn_berth_free(slot->birth.berth);
    if (slot->fact.stage == SPAWN_STAGE_NONE) come_to(index, KEEPER_RUNNING); /* else told once it is reaped */
}

void launch_read_report(uint32_t index) {
    if (slots[index].fact.state == KEEPER_STARTING && slots[index].birth.report_fd >= 0 && spawn_has_reported(&slots[index].birth)) conclude(index);
}

/* Peek, record, then reap: whatever happens to us in between, the status is not lost. What another keeper started is no
 * child of ours: its end is known once its parent has reaped it, or after a while never. */
void launch_reap(uint32_t index, int is_patient) {
    struct slot *slot = &slots[index];
    struct keeper_event *fact = &slot->fact;
    int pidfd = slot->birth.pidfd;
    if (!is_alive(slot)) return;
    int ended = corch_wait_pidfd(pidfd, 1, &fact->code, &fact->status, &fact->user_usec, &fact->system_usec);
    if (ended == -ECHILD && (ended = corch_wait_stranger(pidfd, is_patient, &fact->code, &fact->status)) == 0) {
        corch_epoll_ctl(keeper.epoll, EPOLL_CTL_MOD, pidfd, 0, (uint64_t)SOURCE_CHILD << 32 | index); /* hang-up only */
        timer_set(TIMER_GIVE_UP, SECOND);
    }
    if (ended != 1) return;
    if (slot->birth.report_fd >= 0) conclude(index); /* a child born meanwhile may hold a copy of the pipe's end */
    corch_epoll_ctl(keeper.epoll, EPOLL_CTL_DEL, pidfd, 0, 0);
    corch_wait_pidfd(pidfd, 0, &fact->code, &fact->status, &fact->user_usec, &fact->system_usec);
    corch_drop(&slot->birth.pidfd), FAILPOINT("end-reaped");
    if (fact->state == KEEPER_RUNNING) come_to(index, KEEPER_ENDED);
    else fail(index, fact->stage, fact->error);
}

void launch_give_up(void) {
    for (uint32_t index = 0; index < slots_used; index++) {
        launch_read_report(index), launch_reap(index, 0);
        if (is_alive(&slots[index])) watch(slots[index].birth.pidfd, SOURCE_CHILD, index);
        if (slots[index].birth.report_fd >= 0) watch(slots[index].birth.report_fd, SOURCE_REPORT, index);
    }
}

void launch_adopt(const struct keeper_event *known, const int fds[3], uint8_t told) {
    uint64_t *highest = &highest_launch[(known->launch & KEEPER_LAUNCH_OWN) != 0];
    uint32_t index = slot_of_launch(known->launch) == NONE ? slot_take(known->launch) : NONE;
    for (int fd = 0; fd < 3 && index == NONE; fd++) close(fds[fd]);
    if (index == NONE) return;
    if (known->launch > *highest) *highest = known->launch;
    struct slot *slot = &slots[index];
    slot->fact = *known;
    slot->told = told;
    slot->birth.pidfd = fds[0], slot->birth.held[0] = fds[1], slot->birth.held[1] = fds[2];
    if (is_alive(slot)) watch(fds[0], SOURCE_CHILD, index);
    hold(slot);
    link_note(index);
}
