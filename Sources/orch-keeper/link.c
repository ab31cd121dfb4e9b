/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <sys/socket.h>

#define WORDS (KEEPER_SLOTS_MAX / 64)
#define MESSAGES_PER_TURN 16

static int link_fd = -1;

/* DEAF: nobody reads any more, but last words may lie here. */
static enum { HANDING_OVER, OPEN, DEAF } phase;

/* One cursor walks the table: once to hand it over, then round and round to tell what has changed since. What is
 * told is a slot's state, not a message that was kept: nothing is lost while the socket is full. */
static uint32_t cursor;
static uint64_t due[WORDS]; /* slots that may have something to tell, as bits */

/* What belongs to no slot. Until a refusal is sent, no further request is read. */
enum { PING, REFUSAL, RENEWAL, KINDS };
static struct keeper_event loose[KINDS];

static int blocked; /* errno of what could not be sent; 0: nothing */
static uint32_t interest;

static struct keeper_event event(uint8_t type, const struct slot *slot) {
    struct keeper_event fact = slot->fact;
    fact.version = KEEPER_PROTOCOL_VERSION, fact.type = type, fact.fds = 0;
    return fact;
}

static int transmit(const void *message, size_t length, const int *fds, int fd_count) {
    int64_t sent = corch_send(link_fd, message, length, NULL, 0, fds, fd_count, MSG_DONTWAIT);
    if (sent >= 0) return daemon_expect(), 1;
    blocked = (int)-sent;
    if (blocked == ETOOMANYREFS || blocked == ENOBUFS || blocked == ENOMEM) timer_set(TIMER_RETRY, SECOND / 50);
    else if (blocked != EAGAIN) phase = DEAF;
    return 0;
}

/* Tells that the slot has come to this state; 0: everything that is known of it. */
static int tell(struct slot *slot, uint8_t state) {
    static const uint8_t types[] = {[0] = KEEPER_STATE, [KEEPER_STARTING] = KEEPER_SPAWNED,
        [KEEPER_RUNNING] = KEEPER_EXECED, [KEEPER_FAILED] = KEEPER_SPAWN_FAILED, [KEEPER_ENDED] = KEEPER_EXITED};
    static const uint32_t bits[3] = {KEEPER_FD_PIDFD, KEEPER_FD_HELD1, KEEPER_FD_HELD2};
    const int own[3] = {slot->birth.pidfd, slot->birth.held[0], slot->birth.held[1]};
    struct keeper_event fact = event(types[state], slot);
    int fds[3] = {-1, -1, -1}, count = 0, offered = state == 0 ? 3 : state == KEEPER_STARTING ? 1 : 0;
    for (int index = 0; index < offered; index++) {
        if (own[index] < 0) continue;
        fds[count++] = own[index];
        fact.fds |= bits[index];
    }
    if (!transmit(&fact, sizeof fact, fds, count)) return 0;
    FAILPOINT("fact-told"), slot->told = state == 0 ? slot->fact.state : state;
    return 1;
}

static void hand_over(void) {
    while (cursor < slots_used && slots[cursor].fact.launch == 0) cursor++;
    if (cursor < slots_used) return launch_lighten(cursor), (void)(cursor += (uint32_t)tell(&slots[cursor], 0));
    struct keeper_hand_over end = {.version = KEEPER_PROTOCOL_VERSION, .type = KEEPER_STATE_END, .count = slots_live,
                                   .highest_launch = highest_launch[0], .daemon_starts = daemon_starts};
    if (transmit(&end, sizeof end, NULL, 0)) FAILPOINT("hand-over-told"), phase = OPEN;
}

/* The state after the one that was told, on the slot's way to where it is now; 0: all is told. */
static uint8_t next_state(const struct slot *slot) {
    uint8_t state = slot->fact.state;
    if (slot->told == state || state <= KEEPER_QUEUED) return 0;
    if (state == KEEPER_FAILED || slot->told == KEEPER_RUNNING) return state;
    return slot->told == KEEPER_STARTING ? KEEPER_RUNNING : KEEPER_STARTING;
}

/* 0: there is nothing left to send. */
static int send_next(void) {
    for (int kind = 0; kind < KINDS; kind++) {
        if (loose[kind].type == 0) continue;
        if (transmit(&loose[kind], sizeof loose[kind], NULL, 0)) loose[kind].type = 0;
        return 1;
    }
    if (phase == HANDING_OVER) return hand_over(), 1;
    int index = corch_bit_next(due, WORDS, cursor);
    if (index < 0) return 0;
    cursor = (uint32_t)index;
    uint8_t state = next_state(&slots[index]);
    if (state != 0) return tell(&slots[index], state);
    due[index / 64] &= ~(UINT64_C(1) << index % 64);
    return 1;
}

static int may_read(void) {
    return phase == DEAF || (phase == OPEN && loose[REFUSAL].type == 0 && spawn_has_room() && !renew_is_asked());
}

void link_flush(void) {
    blocked = 0;
    while (link_fd >= 0 && phase != DEAF && blocked == 0 && send_next()) continue;
    uint32_t wanted = (may_read() ? (uint32_t)EPOLLIN : 0) | (blocked == EAGAIN ? (uint32_t)EPOLLOUT : 0);
    if (link_fd < 0 || wanted == interest) return;
    corch_epoll_ctl(keeper.epoll, EPOLL_CTL_MOD, link_fd, wanted, (uint64_t)SOURCE_SOCKET << 32);
    interest = wanted;
}

void link_note(uint32_t index) { due[index / 64] |= UINT64_C(1) << index % 64; }

void link_refuse(uint64_t launch, uint8_t stage, int error) {
    loose[REFUSAL] = event(KEEPER_SPAWN_FAILED, &(struct slot){.fact = {.launch = launch, .stage = stage, .error = error}});
}

void link_ping(void) { loose[PING] = event(KEEPER_PING, &(struct slot){.told = 0}); }

int link_is_read(void) {
    return link_fd >= 0 && phase == OPEN && corch_bit_next(due, WORDS, cursor) < 0 && corch_bytes_unsent(link_fd) <= 0;
}

void link_renewed(int error) { loose[RENEWAL] = event(KEEPER_RENEWED, &(struct slot){.fact = {.error = error}}); }

int link_number(void) { return link_fd; }

int link_is_quiet(void) {
    return phase == OPEN && loose[PING].type == 0 && loose[REFUSAL].type == 0 && loose[RENEWAL].type == 0;
}

void link_open(int fd, int is_resumed) {
    link_fd = fd;
    phase = is_resumed ? OPEN : HANDING_OVER;
    cursor = 0;
    loose[PING].type = loose[REFUSAL].type = loose[RENEWAL].type = 0;
    interest = EPOLLIN;
    watch(fd, SOURCE_SOCKET, 0);
}

static int obey(const struct spawn_request *request, size_t length) {
    const struct keeper_note *note = (const struct keeper_note *)&request->head;
    if (length < sizeof *note || note->version != KEEPER_PROTOCOL_VERSION) return 0;
    int fds = request->fd_count, is_note = length == sizeof *note && fds == 0, is_loan = length == sizeof *note && fds < 2;
    switch (note->type) {
    case KEEPER_HELLO:
    case KEEPER_SHUTDOWN:
    case KEEPER_RESTART: return daemon_said |= is_note << note->type, is_note;
    case KEEPER_SPAWN: return length == sizeof request->head && (launch_request(request), 1);
    case KEEPER_ADOPT: /* whoever says so knows it */
        return length == sizeof request->event && fds > 0 && fds <= 3 &&
               (launch_adopt(&request->event, request->fds, request->event.state), 1);
    case KEEPER_ACKNOWLEDGE: return is_note && (launch_acknowledged(note->launch), 1);
    case KEEPER_PONG: return is_note && (daemon_answered(), 1);
    case KEEPER_SOUND: return is_loan && (daemon_is_sound(fds == 1 ? request->fds[0] : -1), 1);
    case KEEPER_RENEW: return is_loan && (renew_ask(fds == 1 ? request->fds[0] : -1), 1);
    default: return 0;
    }
}

/* fd_count -1: there was no room for its descriptors. 1: a message was obeyed, 0: there is none now, -1: there won't be one. */
static int read_one(void) {
    struct spawn_request request = {.fd_count = SPAWN_FDS_MAX, .fds = {-1, -1, -1}};
    struct keeper_event *room = &request.event;
    int64_t length = corch_receive(link_fd, room, sizeof *room, request.fds, &request.fd_count, MSG_DONTWAIT);
    if (length == -EAGAIN) return 0;
    if (length == -ECONNRESET) return 1; /* it died with unread mail; its own comes after this */
    if (length > 0 && obey(&request, (size_t)length)) return 1;
    while (length > 0 && request.fd_count > 0) close(request.fds[--request.fd_count]);
    return -1;
}

void link_read(void) {
    for (int message = 0; message < MESSAGES_PER_TURN && link_fd >= 0 && may_read(); message++) {
        int read = read_one();
        if (read < 0) daemon_hung_up();
        if (read <= 0) return;
    }
}

/* Last words count, and nobody waits for answers. */
void link_close(void) {
    while (link_fd >= 0 && read_one() > 0) launch_queued();
    corch_drop(&link_fd);
}
