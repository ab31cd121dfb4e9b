/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int link_fd = -1;
int64_t link_retry;

/* The hand-over walks the table once; facts about slots it has not reached travel with their STATE. Facts
 * about the others wait in a list through the slots, so that nothing is lost while the socket is full. */
static uint32_t cursor, handed_over, interest;
static int ended, blocked, deaf; /* hand-over is complete; socket is full; nobody reads any more */
static uint16_t first = NONE, last = NONE;
static int ping_due;
static uint64_t pings;

/* The one answer that belongs to no slot. Until it is sent, no further request is read. */
static struct keeper_event refusal;

static struct keeper_event event(uint8_t type, const struct slot *slot) {
    return (struct keeper_event){
        .version = KEEPER_PROTOCOL_VERSION, .type = type, .state = slot->state, .stage = slot->stage,
        .error = slot->error, .launch = slot->launch, .pid = slot->pid, .code = slot->code, .status = slot->status,
        .start_ticks = slot->start_ticks, .user_usec = slot->user_usec, .system_usec = slot->system_usec};
}

static int transmit(const void *message, size_t length, const int *fds, int fd_count) {
    int64_t sent = corch_send(link_fd, message, length, NULL, 0, fds, fd_count, MSG_DONTWAIT);
    if (sent >= 0) {
        daemon_expect();
        return 1;
    }
    blocked = 1;
    if (sent == -ETOOMANYREFS || sent == -ENOBUFS || sent == -ENOMEM)
        link_retry = corch_clock(CLOCK_MONOTONIC) + SECOND / 50;
    else if (sent != -EAGAIN)
        deaf = 1; /* its last words may still lie here */
    return 0;
}

static void send_state(void) {
    struct slot *slot = &slots[cursor];
    struct keeper_event state = event(KEEPER_STATE, slot);
    int fds[3], count = 0;
    const int held[3] = {slot->pidfd, slot->held[0], slot->held[1]};
    const uint32_t bits[3] = {KEEPER_FD_PIDFD, KEEPER_FD_HELD1, KEEPER_FD_HELD2};
    for (int index = 0; index < 3; index++) {
        if (held[index] < 0) continue;
        fds[count++] = held[index];
        state.fds |= bits[index];
    }
    if (slot->launch != 0) {
        if (!transmit(&state, sizeof state, fds, count)) return;
        handed_over++;
    }
    cursor++;
}

static void send_hand_over_end(void) {
    struct keeper_hand_over end = {.version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_STATE_END, .count = handed_over,
                                   .highest_launch = highest_launch, .daemon_starts = daemon_starts};
    memcpy(end.boot_id, settings.boot_id, sizeof end.boot_id);
    ended = transmit(&end, sizeof end, NULL, 0);
}

static void pop(void) {
    uint16_t index = first;
    first = slots[index].next_pending;
    if (first == NONE) last = NONE;
    slots[index].listed = 0;
    if (slots[index].launch == 0) slot_reuse(index);
}

/* One fact of the slot that has waited longest. */
static void send_fact(void) {
    static const uint8_t types[] = {KEEPER_SPAWNED, KEEPER_EXECED, KEEPER_SPAWN_FAILED, KEEPER_EXITED};
    struct slot *slot = &slots[first];
    if (slot->pending == 0) return pop();
    int bit = __builtin_ctz(slot->pending);
    struct keeper_event fact = event(types[bit], slot);
    int fds = types[bit] == KEEPER_SPAWNED;
    fact.fds = fds ? KEEPER_FD_PIDFD : 0;
    if (transmit(&fact, sizeof fact, &slot->pidfd, fds)) slot->pending &= (uint8_t)~(1u << bit);
}

static void send_ping(void) {
    struct slot number = {.launch = pings + 1};
    struct keeper_event ping = event(KEEPER_PING, &number);
    if (!transmit(&ping, sizeof ping, NULL, 0)) return;
    ping_due = 0;
    pings++;
}

void link_flush(void) {
    blocked = deaf;
    link_retry = 0;
    while (link_fd >= 0 && !blocked) {
        if (ping_due)
            send_ping();
        else if (!ended && cursor < slots_used)
            send_state();
        else if (!ended)
            send_hand_over_end();
        else if (refusal.type != 0) {
            if (transmit(&refusal, sizeof refusal, NULL, 0)) refusal = (struct keeper_event){0};
        } else if (first != NONE)
            send_fact();
        else
            break;
    }
    if (link_fd < 0) return;
    int readable = ended && refusal.type == 0 && launch_has_room();
    uint32_t wanted = (readable ? (uint32_t)EPOLLIN : 0) | (blocked && !deaf && !link_retry ? (uint32_t)EPOLLOUT : 0);
    if (wanted == interest) return;
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_MOD, link_fd, wanted, (uint64_t)SOURCE_SOCKET << 32);
    interest = wanted;
}

void link_note(uint32_t index, uint8_t pending) {
    struct slot *slot = &slots[index];
    if (link_fd < 0 || (!ended && index >= cursor)) return;
    slot->pending |= pending;
    if (slot->listed) return;
    slot->listed = 1;
    slot->next_pending = NONE;
    if (last == NONE)
        first = (uint16_t)index;
    else
        slots[last].next_pending = (uint16_t)index;
    last = (uint16_t)index;
}

void link_refuse(uint64_t launch, uint8_t stage, int error) {
    struct slot unknown = {.launch = launch, .stage = stage, .error = error, .state = KEEPER_FAILED};
    refusal = event(KEEPER_SPAWN_FAILED, &unknown);
}

void link_ping(void) { ping_due = 1; }

int link_outstanding(void) {
    return link_fd >= 0 && (first != NONE || !ended || corch_bytes_unsent(link_fd) > 0);
}

void link_open(int fd) {
    link_fd = fd;
    cursor = handed_over = 0;
    ended = deaf = 0;
    interest = EPOLLIN;
    corch_epoll_ctl(settings.epoll, EPOLL_CTL_ADD, fd, interest, (uint64_t)SOURCE_SOCKET << 32);
}

void link_close(void) {
    while (first != NONE) {
        slots[first].pending = 0;
        pop();
    }
    refusal = (struct keeper_event){0};
    ping_due = 0;
    link_retry = 0;
    if (link_fd >= 0) close(link_fd);
    link_fd = -1;
}

static void acknowledge(uint64_t launch) {
    uint32_t index = slot_of_launch(launch);
    if (index == NONE || slots[index].state == KEEPER_STARTING || slots[index].state == KEEPER_RUNNING) return;
    slot_release(index);
}

static int obey(struct request *request, size_t length, int *fds, int fd_count) {
    struct keeper_note *note = (struct keeper_note *)request;
    if (length < sizeof *note || note->version != KEEPER_PROTOCOL_VERSION) return 0;
    if (note->type == KEEPER_SPAWN && length >= sizeof request->head) {
        launch_request(request, length, fds, fd_count);
        return 1;
    }
    if (length != sizeof *note || fd_count != 0) return 0;
    switch (note->type) {
    case KEEPER_HELLO:
    case KEEPER_SHUTDOWN:
    case KEEPER_RESTART: daemon_said |= 1 << note->type; return 1;
    case KEEPER_ACKNOWLEDGE: acknowledge(note->launch); return 1;
    case KEEPER_DROP_FDS:
        if (slot_of_launch(note->launch) != NONE) slot_drop_fds(slot_of_launch(note->launch));
        return 1;
    case KEEPER_PONG: daemon_answered(); return 1;
    default: return 0;
    }
}

/* 1: a message was obeyed, 0: there is none now, -1: there won't be one. */
static int read_one(void) {
    static struct request request;
    int fds[CORCH_FDS_MAX], fd_count = CORCH_FDS_MAX;
    int64_t length = corch_receive(link_fd, &request, sizeof request, fds, &fd_count, MSG_DONTWAIT);
    if (length == -EAGAIN) return 0;
    if (length == -ECONNRESET) return 1; /* it died with unread mail; its own comes after this */
    if (length > 0 && obey(&request, (size_t)length, fds, fd_count)) return 1;
    while (length > 0 && fd_count > 0) close(fds[--fd_count]);
    return -1;
}

void link_read(void) {
    for (int turn = 0; turn < MESSAGES_PER_TURN && link_fd >= 0; turn++) {
        if (!ended || refusal.type != 0 || !launch_has_room()) return;
        int read = read_one();
        if (read < 0) daemon_hung_up();
        if (read <= 0) return;
    }
}

void link_read_last_words(void) {
    while (link_fd >= 0 && launch_has_room() && read_one() > 0) refusal.type = 0;
}
