/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define FAILURES_MAX 3           /* then the program that served last is started */
#define KILLS_MAX 100            /* more that somebody has killed before they served are failures, too */
#define PROBATION (30 * SECOND)  /* whoever ends by itself before that has not served, whatever it said */

int daemon_said;
uint64_t daemon_starts;

static int32_t pid; /* 0: none */
static int64_t started, delay;
static int sound = -1, serving = -1, failures; /* the program that served last; that says it does; starts for nothing since */
static int is_given_up;          /* start that one now, an upgrade went wrong */
static siginfo_t last; /* how the one before died: the next one's process writes it, as a hung disk must not hang us */

/* IDLE: everything sent was read. WATCHING: look whether it is read. DOUBTING: it was asked, or hung up.
 * ENDING: it got SIGABRT, and SIGKILL from now on. */
static enum { IDLE, WATCHING, DOUBTING, ENDING } watchdog;

static void rest(void) {
    watchdog = IDLE;
    timer_set(TIMER_WATCH, -1);
    watch_guests(EPOLL_CTL_MOD);
}

/* The one that served is not gone back to where it is what can't begin. */
static int is_hopeless(void) {
    struct stat former, present;
    if (failures < FAILURES_MAX || sound < 0 || fstat(sound, &former) < 0) return 0;
    return stat(keeper.daemon[0], &present) < 0 || former.st_ino != present.st_ino || former.st_dev != present.st_dev;
}

/* Runs in a copy of us. Our descriptors close themselves at exec. */
static _Noreturn void become_daemon(int link) {
    static char *const given[][2] = {{"--keeper-fd", "3"}, {"--listen-fd", "4"}, {"--lock-fd", "5"},
                                     {"--ready-fd", "6"}, {"--notify-fd", "7"}, {"--keeper-program-fd", "8"}};
    const int own[] = {link, keeper.listen_fd, keeper.lock_fd, keeper.ready_fd, keeper.notify_fd, keeper.program_fd};
    char **next = keeper.daemon + keeper.daemon_count;
    for (int index = 0; index < 6; index++)
        if (own[index] >= 0) *next++ = given[index][0], *next++ = given[index][1];
    spawn_ready_heir(slots_live);
    corch_child_begin(own, 6);
    if (last.si_pid != 0)
        dprintf(STDERR_FILENO, "orch-keeper: the daemon (pid %d) %s %d; starting it again\n", last.si_pid,
                last.si_code == CLD_EXITED ? "exited with" : "was killed by signal", last.si_status);
    if (is_given_up) *next++ = "--given-up";
    if (is_given_up || is_hopeless()) *next = is_given_up ? NULL : "--fallback", fexecve(sound, keeper.daemon, environ);
    *next = NULL;
    execv(keeper.daemon[0], keeper.daemon);
    end(127, "cannot start the daemon %s: %s", keeper.daemon[0], strerror(errno));
}

void daemon_start(void) {
    int pair[2];
    started = corch_clock(CLOCK_MONOTONIC);
    if (corch_socketpair(pair) < 0) return timer_set(TIMER_START, SECOND); /* no descriptor: later */
    pid_t child = fork();
    if (child == 0) become_daemon(pair[1]);
    close(pair[1]);
    if (child < 0) return close(pair[0]), timer_set(TIMER_START, SECOND); /* no process: later */
    corch_drop(&keeper.ready_fd);
    pid = child, FAILPOINT("daemon-forked");
    daemon_starts++;
    is_given_up = 0;
    rest();
    daemon_said = 0;
    link_open(pair[0], 0);
}

static void prove(void) {
    if (serving >= 0) corch_drop(&sound), sound = serving, serving = -1;
}

void daemon_ended(const siginfo_t *end) {
    int64_t lived = corch_clock(CLOCK_MONOTONIC) - started;
    if (end->si_pid != pid) return;
    int was_hung = watchdog == ENDING, was_killed = !was_hung && end->si_code == CLD_KILLED && end->si_status == SIGKILL;
    pid = 0, FAILPOINT("daemon-reaped");
    last = *end;
    link_close();
    watchdog = IDLE;
    if (daemon_said & 1 << KEEPER_SHUTDOWN && slots_live == 0) _exit(0);
    if (daemon_starts == 1 && !(daemon_said & 1 << KEEPER_HELLO)) _exit(END_DAEMON); /* it never did */
    int planned = daemon_said & (1 << KEEPER_RESTART | 1 << KEEPER_SHUTDOWN);
    int has_served = daemon_said & 1 << KEEPER_SOUND && (planned || was_killed || lived >= PROBATION);
    if (has_served) prove();
    corch_drop(&serving);
    if (planned || has_served) failures = 0;
    else failures += was_hung ? FAILURES_MAX : 1; /* waiting for it once more would take as long again */
    int64_t longest = has_served || (was_killed && failures < KILLS_MAX) ? SECOND / 100 : SECOND; /* the next will fail, too */
    delay = planned || lived >= SECOND ? 0 : delay * 2 + SECOND / 100;
    if (delay > longest) delay = longest;
    timer_set(TIMER_START, delay);
}

void daemon_signal(int signal) {
    if (pid != 0) kill(pid, signal);
}

static void doze(int state, int64_t time) {
    watchdog = state;
    timer_set(TIMER_WATCH, time);
}

void daemon_look(void) {
    siginfo_t stop = {0};
    if (pid == 0 || watchdog > WATCHING || waitid(P_PID, (id_t)pid, &stop, WSTOPPED | WNOHANG) < 0 || stop.si_pid == 0) return;
    link_ping();
    doze(DOUBTING, keeper.patience);
}

void daemon_is_sound(int program) {
    corch_drop(&serving);
    serving = program;
    daemon_said |= 1 << KEEPER_SOUND;
}

void daemon_bequeath(struct keeper_legacy *head) {
    prove(); /* it has asked for that */
    head->sound_fd = sound, head->daemon_pid = pid, head->daemon_said = (uint32_t)daemon_said;
}

void daemon_inherit(const struct keeper_legacy *head) {
    sound = head->sound_fd;
    is_given_up = head->is_given_up && sound >= 0;
    if (head->link_fd < 0) return;
    pid = head->daemon_pid, daemon_said = (int)head->daemon_said;
    started = corch_clock(CLOCK_MONOTONIC);
    link_open(head->link_fd, 1), link_renewed(0);
}

/* One that has only just begun may take longer. */
void daemon_expect(void) {
    if (watchdog == IDLE) doze(WATCHING, daemon_said & 1 << KEEPER_HELLO ? keeper.patience : 3 * keeper.patience);
}

static int is_served(void) {
    return link_is_read() && !corch_is_readable(keeper.listen_fd) && !corch_is_readable(keeper.notify_fd) && !launch_has_output();
}

void daemon_answered(void) {
    if (watchdog < ENDING && is_served()) rest();
    else if (watchdog == DOUBTING) doze(WATCHING, keeper.patience);
}

void daemon_hung_up(void) {
    link_close();
    if (watchdog < ENDING) doze(DOUBTING, keeper.patience / 2);
}

void daemon_watch(void) {
    if (watchdog == IDLE || (watchdog < ENDING && is_served())) return rest();
    if (watchdog == WATCHING) return link_ping(), doze(DOUBTING, keeper.patience);
    daemon_signal(watchdog == ENDING ? SIGKILL : SIGABRT);
    doze(ENDING, keeper.patience / 2);
}
