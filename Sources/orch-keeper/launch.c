/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One child's stack and what it reads. The stack's used end, the order and a small spec are neighbours. */
struct area {
    char stack[STACK_SIZE];
    struct spawn_order order;
    char spec[KEEPER_SPEC_INLINE_MAX + 4608] __attribute__((aligned(16))); /* and behind it a search path */
    void *mapped;
    size_t mapped_length;
} __attribute__((aligned(4096)));

/* Shared, so that `reached` is seen from a child with a memory of its own. */
static struct area *areas;
static uint32_t busy_areas, busy_ramps, busiest;

/* Requests that found no free stack, in order: a ring of records {size, fds, request}. */
struct record {
    uint32_t size, fd_count; /* size 0: go on at the beginning */
    int fds[FDS_MAX];
    struct keeper_spawn head;
    char spec[];
};
static char *queue;
static size_t queue_first, queue_end, queue_count;
#define RECORD_MAX (sizeof(struct record) + KEEPER_SPEC_INLINE_MAX + 16)

static void close_all(int *fds, int count) {
    while (count > 0) close(fds[--count]);
}

static int take(uint32_t *busy, int count) {
    for (int index = 0; index < count; index++) {
        if (*busy >> index & 1) continue;
        *busy |= 1u << index;
        return index;
    }
    return -1;
}

static int ramp_start(int ramp) { return RAMP_FIRST + ramp * RAMP_WIDTH; }

/* Low numbers are kept taken, or received descriptors would land where children are prepared. */
static void clear_ramp(struct slot *slot) {
    if (slot->ramp < 0) return;
    int first = ramp_start(slot->ramp);
    for (int number = 0; number < slot->boarded; number++) corch_dup3(STDIN_FILENO, first + number);
    corch_dup3(STDIN_FILENO, first + RAMP_WIDTH - 1);
    busy_ramps &= ~(1u << slot->ramp);
    slot->ramp = -1;
}

void launch_prepare(void) {
    int access = PROT_READ | PROT_WRITE;
    areas = mmap(NULL, sizeof(struct area) * STACKS, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    queue = mmap(NULL, QUEUE_BYTES, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (areas == MAP_FAILED || queue == MAP_FAILED) end(END_SYSTEM, "cannot map stacks for children", strerror(errno));
    for (int number = RAMP_FIRST; number < RAMP_END; number++) corch_dup3(STDIN_FILENO, number);
}

static void free_area(struct slot *slot) {
    if (slot->stack < 0) return;
    struct area *area = &areas[slot->stack];
    if (area->mapped) munmap(area->mapped, area->mapped_length);
    area->mapped = NULL;
    busy_areas &= ~(1u << slot->stack);
    slot->stack = -1;
    if (busy_areas != 0 || busiest < 1u << 4) return;
    madvise(areas, sizeof(struct area) * STACKS, MADV_REMOVE); /* a storm is over */
    busiest = 0;
}

static void watch(int fd, int source, uint32_t index) {
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, (uint64_t)source << 32 | index);
}

static void failed(uint32_t index, uint8_t stage, int error) {
    struct slot *slot = &slots[index];
    clear_ramp(slot);
    free_area(slot);
    slot_drop_fds(index);
    slot->state = KEEPER_FAILED;
    slot->stage = stage;
    slot->error = error;
    link_note(index, PENDING_FAILED);
}

/* The spec's bytes: where the child may read them and we may turn offsets into pointers. */
static int place_spec(struct area *area, const struct keeper_spawn *head, const char *bytes, int memfd) {
    void *spec = area->spec;
    size_t length = head->spec_length;
    area->order.path = area->spec + ((length + 15) & ~(size_t)15);
    if (memfd >= 0) {
        struct stat status;
        area->order.path = area->spec;
        if (corch_memfd_is_sealed(memfd) != 1 || fstat(memfd, &status) < 0) return -EINVAL;
        if (length > KEEPER_SPEC_MAX || (size_t)status.st_size != length || length == 0) return -EINVAL;
        spec = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd, 0);
        if (spec == MAP_FAILED) return -errno;
        area->mapped = spec;
        area->mapped_length = length;
    } else {
        if (length > KEEPER_SPEC_INLINE_MAX) return -EINVAL;
        memcpy(area->spec, bytes, length);
    }
    area->order.path_room = (size_t)(area->spec + sizeof area->spec - area->order.path);
    area->order.spec = spec;
    return spawn_spec_check(spec, length);
}

static int step_up(struct slot *slot, int fd) {
    if (fd < 0) return -1;
    int number = corch_dup3(fd, ramp_start(slot->ramp) + slot->boarded++);
    close(fd);
    return number;
}

/* Moves the child's descriptors to the numbers that it will copy: stdin, stdout, stderr, cgroup, extras. */
static void board(struct slot *slot, struct spawn_order *order, const struct keeper_spawn *head, int *named, int *extras) {
    slot->boarded = 0;
    for (int index = 0; index < 3; index++) order->stdio[index] = step_up(slot, named[index]);
    order->cgroup = step_up(slot, named[3]);
    order->extra_count = head->extra_count;
    for (uint32_t index = 0; index < head->extra_count; index++) {
        order->numbers[index] = head->extra_numbers[index];
        order->extras[index] = step_up(slot, extras[index]);
    }
}

static void set_oom(struct spawn_order *order) {
    int asked = order->spec->flags & SPAWN_SET_OOM;
    order->oom_score_adj = asked ? order->spec->oom_score_adj : settings.inherited_oom;
    order->set_oom = order->oom_score_adj != settings.oom;
    order->own_memory = order->set_oom; /* the kernel gives the value to everyone who shares the memory */
}

static int start(struct slot *slot, struct spawn_order *order, char *stack) {
    int report[2], piped = corch_pipe(report, O_NONBLOCK);
    if (piped < 0) return piped;
    order->error_fd = corch_dup3(report[1], ramp_start(slot->ramp) + RAMP_WIDTH - 1);
    order->unshare_from = RAMP_END;
    close(report[1]);
    int64_t before = corch_clock(CLOCK_BOOTTIME) / 10000000;
    int pidfd = -1, pid = spawn_start(order, stack, STACK_SIZE, &pidfd);
    int64_t after = corch_clock(CLOCK_BOOTTIME) / 10000000;
    if (pid < 0) {
        close(report[0]);
        return pid;
    }
    slot->pidfd = pidfd;
    slot->report_fd = report[0];
    slot->start_ticks = (uint64_t)(before == after ? before : corch_process_start_ticks(pid));
    return pid;
}

/* Everything is at hand: a stack, a ramp, checked descriptors. Takes over `fds`. */
static void launch(uint32_t index, const struct keeper_spawn *head, const char *spec, int *fds) {
    struct slot *slot = &slots[index];
    int named[7], next = 0;
    for (int bit = 0; bit < 7; bit++) named[bit] = head->fds >> bit & 1 ? fds[next++] : -1;
    struct area *area = &areas[slot->stack = (int8_t)take(&busy_areas, STACKS)];
    slot->ramp = (int8_t)take(&busy_ramps, RAMPS);
    busiest |= busy_areas;
    int placed = place_spec(area, head, spec, named[4]);
    if (named[4] >= 0) close(named[4]);
    slot->held[0] = named[5];
    slot->held[1] = named[6];
    board(slot, &area->order, head, named, fds + next);
    if (placed < 0) {
        failed(index, placed == -EINVAL ? SPAWN_STAGE_SPEC : SPAWN_STAGE_PIPE, -placed);
        return;
    }
    set_oom(&area->order);
    int pid = start(slot, &area->order, area->stack);
    if (pid < 0) {
        int group = named[3] >= 0 && pid != -EAGAIN && pid != -ENOMEM;
        failed(index, group ? SPAWN_STAGE_CGROUP : SPAWN_STAGE_CLONE, -pid);
        return;
    }
    slot_has_pid(index, pid);
    slot->state = KEEPER_STARTING;
    watch(slot->pidfd, SOURCE_CHILD, index);
    watch(slot->report_fd, SOURCE_REPORT, index);
    link_note(index, PENDING_SPAWNED);
}

static int can_launch(void) { return busy_areas != UINT32_MAX && busy_ramps != (1u << RAMPS) - 1; }

/* A record must lie in one piece: either behind the last one, or at the beginning. */
int launch_has_room(void) {
    if (queue_count == 0 || queue_first < queue_end)
        return QUEUE_BYTES - queue_end >= RECORD_MAX || queue_first > RECORD_MAX;
    return queue_first - queue_end > RECORD_MAX;
}

static void append(struct request *request, const int *fds, int fd_count) {
    size_t spec_length = request->head.fds & KEEPER_FD_SPEC ? 0 : request->head.spec_length;
    size_t size = (sizeof(struct record) + spec_length + 7) & ~(size_t)7;
    if (queue_count++ == 0) queue_first = queue_end = 0;
    if (QUEUE_BYTES - queue_end < RECORD_MAX) {
        ((struct record *)(void *)(queue + queue_end))->size = 0;
        queue_end = 0;
    }
    struct record *record = (struct record *)(void *)(queue + queue_end);
    record->size = (uint32_t)size;
    record->fd_count = (uint32_t)fd_count;
    record->head = request->head;
    memcpy(record->fds, fds, sizeof(int) * (size_t)fd_count);
    memcpy(record->spec, request->spec, spec_length);
    queue_end += size;
}

void launch_queued(void) {
    while (queue_count > 0 && can_launch()) {
        struct record *record = (struct record *)(void *)(queue + queue_first);
        if (record->size == 0) record = (struct record *)(void *)(queue + (queue_first = 0));
        uint32_t index = slot_of_launch(record->head.launch);
        if (index == NONE)
            close_all(record->fds, (int)record->fd_count); /* cancelled meanwhile */
        else
            launch(index, &record->head, record->spec, record->fds);
        queue_first += record->size;
        if (--queue_count == 0) madvise(queue, QUEUE_BYTES, MADV_DONTNEED);
    }
}

/* What a request says about itself must fit what came: lengths, descriptors, their numbers. */
static int is_sound(const struct keeper_spawn *head, size_t length, int fd_count) {
    int expected = __builtin_popcount(head->fds & 0x7f) + (int)head->extra_count;
    size_t inline_length = head->fds & KEEPER_FD_SPEC ? 0 : head->spec_length;
    if (head->fds > 0x7f || head->extra_count > KEEPER_EXTRA_MAX || expected != fd_count) return 0;
    if (length != sizeof *head + inline_length) return 0;
    for (uint32_t index = 0; index < head->extra_count; index++) {
        int previous = index > 0 ? head->extra_numbers[index - 1] : 2;
        if (head->extra_numbers[index] <= previous || head->extra_numbers[index] > KEEPER_NUMBER_MAX) return 0;
    }
    return 1;
}

/* Everything that is known about a launch, again. */
static void repeat(uint32_t index) {
    struct slot *slot = &slots[index];
    uint8_t known = slot->pid > 0 && slot->state != KEEPER_FAILED ? PENDING_SPAWNED : 0;
    if (slot->state == KEEPER_RUNNING || slot->state == KEEPER_ENDED) known |= PENDING_EXECED;
    if (slot->state == KEEPER_FAILED) known |= PENDING_FAILED;
    if (slot->state == KEEPER_ENDED) known |= PENDING_EXITED;
    if (known) link_note(index, known);
}

void launch_request(struct request *request, size_t length, int *fds, int fd_count) {
    struct keeper_spawn *head = &request->head;
    uint32_t index = slot_of_launch(head->launch);
    if (index != NONE) repeat(index);
    uint64_t *highest = head->launch & KEEPER_LAUNCH_OWN ? &highest_own_launch : &highest_launch;
    if (index == NONE && head->launch <= *highest) link_refuse(head->launch, SPAWN_STAGE_STALE, ESTALE);
    if (index != NONE || head->launch <= *highest) return close_all(fds, fd_count);
    *highest = head->launch;
    index = slot_take(head->launch);
    if (index == NONE) link_refuse(head->launch, SPAWN_STAGE_TABLE, ENOSPC);
    if (index == NONE) return close_all(fds, fd_count);
    if (!is_sound(head, length, fd_count)) {
        failed(index, SPAWN_STAGE_SPEC, EINVAL);
        return close_all(fds, fd_count);
    }
    if (queue_count == 0 && can_launch())
        launch(index, head, request->spec, fds);
    else
        append(request, fds, fd_count);
}

/* The pipe's end without a failure: the child has executed, or was killed on its way. A death inside execve
 * counts as one just after it: the kernel shows no cheap difference, and nobody can act on it. */
static void conclude(uint32_t index) {
    struct slot *slot = &slots[index];
    if (slot->report_fd < 0) return;
    close(slot->report_fd);
    slot->report_fd = -1;
    clear_ramp(slot);
    if (slot->stage == SPAWN_STAGE_NONE && areas[slot->stack].order.reached == SPAWN_STAGE_EXEC) {
        slot->state = KEEPER_RUNNING;
        link_note(index, PENDING_EXECED);
    }
    free_area(slot);
}

void launch_read_report(uint32_t index) {
    struct slot *slot = &slots[index];
    struct spawn_report report;
    while (slot->report_fd >= 0) {
        ssize_t length = read(slot->report_fd, &report, sizeof report);
        if (length < 0) return;
        if (length < (ssize_t)sizeof report) return conclude(index);
        clear_ramp(slot); /* it has a table of its own now */
        slot->stage = (uint8_t)report.stage;
        slot->error = report.error;
    }
}

/* Peek, record, then reap: whatever happens to us in between, the status is not lost. */
void launch_reap(uint32_t index) {
    struct slot *slot = &slots[index];
    if (slot->state != KEEPER_STARTING && slot->state != KEEPER_RUNNING) return;
    int32_t code, status;
    uint64_t user, system;
    if (corch_wait_pidfd(slot->pidfd, 1, &code, &status, &user, &system) != 1) return;
    launch_read_report(index);
    conclude(index); /* a child that was born meanwhile may hold a copy of the pipe's end */
    slot->code = code;
    slot->status = status;
    slot->user_usec = user;
    slot->system_usec = system;
    slot_reaped(index);
    int executed = slot->state == KEEPER_RUNNING;
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_DEL, slot->pidfd, 0, 0);
    corch_wait_pidfd(slot->pidfd, 0, &code, &status, &user, &system);
    if (executed) {
        slot->state = KEEPER_ENDED;
        link_note(index, PENDING_EXITED);
    } else if (slot->stage != SPAWN_STAGE_NONE) {
        failed(index, slot->stage, slot->error);
    } else {
        failed(index, SPAWN_STAGE_KILLED, ECANCELED);
    }
}

/* Children that came to us because their parents are gone, among ours that have just ended. */
void launch_reap_orphans(void) {
    for (;;) {
        siginfo_t child = {0};
        if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) < 0 || child.si_pid == 0) return;
        uint32_t index = slot_of_pid(child.si_pid);
        if (daemon_is(child.si_pid))
            daemon_ended();
        else if (index != NONE)
            launch_reap(index);
        else
            waitid(P_PID, (id_t)child.si_pid, &child, WEXITED | WNOHANG);
    }
}
