/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"
#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE 12288
#define MANY_LAUNCHES 256
#define BERTHS_KEPT 4 /* the memory of these stays between launches */

/* A child's stack and what it reads. Shared, so that what it says is seen from a memory of its own, too. */
static struct berth {
    char stack[STACK_SIZE];
    struct spawn_order order;
    uint32_t aboard; /* what of its ramp is not a copy of number 0, as bits */
    char path[4608];
    char spec[8192] __attribute__((aligned(8))); /* a mapping of their own is for larger ones: it stops every child that shares our memory */
} __attribute__((aligned(4096))) *berths;
static uint32_t busy; /* as bits */
static int inherited_oom, own_oom;

static int ramp(int berth) { return KEEPER_NUMBER_MAX + 1 + berth * SPAWN_RAMP_WIDTH; }

int spawn_prepare(void) {
    _Static_assert(SPAWN_NUMBERS == KEEPER_FLOOR, "what is inherited lies above what is taken here");
    size_t length = sizeof(struct berth) * SPAWN_BERTHS;
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    berths = memory;
    for (int number = 3; number < SPAWN_NUMBERS; number++) {
        int taken = corch_dup3(STDIN_FILENO, number);
        if (taken < 0) return taken;
    }
    return 0;
}

/* Whoever was protected by a former keeper finds there what held before. */
static const char *const OOM_VARIABLE = "ORCH_KEEPER_OOM_SCORE_ADJ";

void spawn_protect(void) {
    const char *former = getenv(OOM_VARIABLE);
    char text[16];
    inherited_oom = former != NULL ? atoi(former) : corch_oom_score_adj(NULL);
    snprintf(text, sizeof text, "%d", inherited_oom);
    setenv(OOM_VARIABLE, text, 1);
    own_oom = corch_oom_score_adj("-1000");
    prctl(PR_SET_DUMPABLE, 0);
    mlockall(MCL_CURRENT | MCL_ONFAULT);
}

void spawn_ready_heir(uint32_t launches) {
    if (own_oom != inherited_oom) corch_oom_score_adj("-900");
    /* Who takes so many over fills megabytes of heap before it answers: by few large pages that takes a fifth less time. */
    if (launches >= MANY_LAUNCHES) setenv(KEEPER_HEAP_VARIABLE, KEEPER_HEAP, 0);
}

static int take_berth(void) {
    if (busy == UINT32_MAX) return -1;
    int berth = __builtin_ctz(~busy);
    busy |= 1u << berth;
    return berth;
}

static void move(int fd, int berth, int place) {
    corch_dup3(fd, ramp(berth) + place);
    close(fd);
    berths[berth].aboard |= 1u << place;
}

/* The numbers stay taken, or received descriptors would land where children are prepared. */
static void detached(int berth) {
    for (uint32_t left = berths[berth].aboard; left != 0; left &= left - 1)
        corch_dup3(STDIN_FILENO, ramp(berth) + __builtin_ctz(left));
    berths[berth].aboard = 0;
}

/* A byte: the child has descriptors of its own. */
int spawn_has_reported(const struct spawn_birth *birth) {
    ssize_t length;
    for (char byte; (length = read(birth->report_fd, &byte, 1)) > 0;) detached(birth->berth);
    return length == 0;
}

void spawn_berth_free(int berth) {
    struct spawn_order *order = &berths[berth].order;
    detached(berth);
    if ((char *)order->spec == berths[berth].spec) memset(order->spec, 0, order->spec_length); /* it may hold secrets */
    else if (order->spec != NULL) munmap(order->spec, order->spec_length);
    order->spec = NULL;
    if (berth >= BERTHS_KEPT) madvise(&berths[berth], sizeof *berths, MADV_REMOVE);
    busy &= ~(1u << berth);
}

static struct spawn_request queue[SPAWN_QUEUE_MAX];
static uint32_t queue_first, queue_count;

int spawn_has_room(void) { return queue_count < SPAWN_QUEUE_MAX; }

int spawn_is_idle(void) { return queue_count == 0 && busy == 0; }

void spawn_enqueue(const struct spawn_request *request) {
    queue[(queue_first + queue_count++) % SPAWN_QUEUE_MAX] = *request;
}

const struct spawn_request *spawn_next(int *berth) {
    *berth = queue_count > 0 ? take_berth() : -1;
    if (*berth < 0) return NULL;
    queue_count--;
    return &queue[queue_first++ % SPAWN_QUEUE_MAX];
}

void spawn_discard(const struct spawn_request *request) {
    for (int index = 0; index < request->fd_count; index++) close(request->fds[index]);
}

/* A copy of the spec that the child may read and in which offsets may be turned into pointers. */
static int take_spec(struct berth *berth, int memory, size_t length) {
    struct spawn_order *order = &berth->order;
    struct stat status;
    order->spec = NULL;
    if (corch_memfd_is_sealed(memory) != 1 || fstat(memory, &status) < 0) return -EINVAL;
    if (length == 0 || length > KEEPER_SPEC_MAX || (size_t)status.st_size != length) return -EINVAL;
    void *spec = berth->spec;
    if (length > sizeof berth->spec) spec = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, memory, 0);
    else if (pread(memory, spec, length, 0) != (ssize_t)length) return -EIO;
    if (spec == MAP_FAILED) return -errno;
    order->spec = spec;
    order->spec_length = length;
    return spawn_spec_check(spec, length);
}

/* The spec is taken, read ends are held, the rest goes onto the ramp. */
static int board(int berth, const struct spawn_request *request, int held[2]) {
    struct spawn_order *order = &berths[berth].order;
    const struct keeper_spawn *head = &request->head;
    const int *next = request->fds;
    int taken = take_spec(&berths[berth], *next, head->spec_length);
    close(*next++);
    for (int bit = 0; bit < 4; bit++)
        if (head->fds & 1u << bit) move(*next++, berth, bit);
    for (int end = 0; end < 2; end++) held[end] = head->fds & (uint32_t)KEEPER_FD_HELD1 << end ? *next++ : -1;
    for (uint32_t extra = 0; extra < head->extra_count; extra++) {
        order->numbers[extra] = head->extra_numbers[extra];
        move(*next++, berth, SPAWN_RAMP_EXTRA + (int)extra);
    }
    order->extra_count = head->extra_count;
    order->in_cgroup = (head->fds & KEEPER_FD_CGROUP) != 0;
    order->own_errors = (head->fds & KEEPER_FD_STDERR) != 0;
    return taken;
}

static void set_oom(struct spawn_order *order) {
    int asked = order->spec->flags & SPAWN_SET_OOM;
    order->oom_score_adj = asked ? order->spec->oom_score_adj : inherited_oom;
    order->set_oom = order->oom_score_adj != own_oom;
    int is_walled = (order->spec->flags & (SPAWN_PRIVATE_TMP | SPAWN_READ_ONLY)) != 0;
    order->own_memory = order->set_oom || is_walled; /* the kernel gives value and name space to everyone who shares the memory */
}

static int start_at(int berth, struct spawn_birth *birth) {
    FAILPOINT("child-prepared");
    int64_t before = corch_clock(CLOCK_BOOTTIME) / 10000000;
    int pid = spawn_clone(&berths[berth].order, berths[berth].stack, STACK_SIZE, &birth->pidfd);
    int64_t after = corch_clock(CLOCK_BOOTTIME) / 10000000;
    if (pid < 0) return pid;
    FAILPOINT("child-born");
    birth->pid = pid;
    birth->berth = berth;
    birth->start_ticks = (uint64_t)(before == after ? before : corch_process_start_ticks(pid));
    return 0;
}

int spawn_start(int berth, const struct spawn_request *request, struct spawn_birth *birth, uint8_t *stage) {
    struct spawn_order *order = &berths[berth].order;
    *birth = (struct spawn_birth){.pidfd = -1, .report_fd = -1};
    order->ramp = ramp(berth);
    order->unshare_from = order->ramp + SPAWN_RAMP_WIDTH;
    order->path = berths[berth].path;
    order->path_room = sizeof berths->path;
    int report[2], error = board(berth, request, birth->held);
    *stage = error == -EINVAL ? SPAWN_STAGE_SPEC : SPAWN_STAGE_PIPE;
    if (error == 0) error = corch_pipe(report, O_NONBLOCK);
    if (error < 0) return error;
    move(report[1], berth, SPAWN_RAMP_REPORT);
    set_oom(order);
    error = start_at(berth, birth);
    birth->report_fd = error == 0 ? report[0] : -1;
    if (error == 0) return 0;
    close(report[0]);
    int is_scarcity = error == -EAGAIN || error == -ENOMEM;
    *stage = order->in_cgroup && !is_scarcity ? SPAWN_STAGE_CGROUP : SPAWN_STAGE_CLONE;
    return error;
}

/* A death inside execve counts as one just after it: the kernel shows no cheap difference, and nobody can act on it. */
uint8_t spawn_outcome(int berth, int32_t *error) {
    const struct spawn_order *order = &berths[berth].order;
    int has_executed = order->error == 0 && order->reached == SPAWN_STAGE_EXEC;
    *error = order->error != 0 ? order->error : ECANCELED;
    if (has_executed) return SPAWN_STAGE_NONE;
    return order->error != 0 ? (uint8_t)order->reached : SPAWN_STAGE_KILLED;
}

int spawn_is_sound(const struct keeper_spawn *head, int fd_count) {
    if (head->fds > KEEPER_FD_ALL || head->extra_count > KEEPER_EXTRA_MAX) return 0;
    if (fd_count != 1 + __builtin_popcount(head->fds) + (int)head->extra_count) return 0;
    for (uint32_t index = 0; index < head->extra_count; index++) {
        int previous = index > 0 ? head->extra_numbers[index - 1] : 2;
        if (head->extra_numbers[index] <= previous || head->extra_numbers[index] > KEEPER_NUMBER_MAX) return 0;
    }
    return 1;
}
