/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orch-keeper: creates every service process and reaps it, holds the log pipes, the pidfds and the listening
 * socket, and starts the daemon again when it dies. One thread, no heap, no parser, no file system after the
 * start. Tables are static and touched only as far as they are used.
 *
 * To read it: keeper_protocol.h (what is said), launch.c (the table; from a request to an end), link.c (telling
 * the daemon), daemon.c (its life and its watchdog), renew.c (the upgrade of this very process), main.c (the start and
 * the loop). The child is COrch's.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "corch.h"
#include "spawn_child.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define NONE 0xffff
#define ARGUMENTS_MAX 128 /* of the daemon; and 16 of ours */
#define SECOND INT64_C(1000000000)

/* main.c */
enum { END_USAGE = 2, END_LOCKED = 4, END_DAEMON = 5, END_SYSTEM = 6 };
enum source { SOURCE_SIGNAL, SOURCE_SOCKET, SOURCE_CHILD, SOURCE_REPORT, SOURCE_GUEST };
enum timer { TIMER_START, TIMER_WATCH, TIMER_RETRY, TIMER_GIVE_UP, TIMER_RENEW, TIMERS };
extern struct keeper { /* what never changes after the start, but for ready_fd */
    char **daemon;     /* its path and arguments, with room for what it inherits */
    int daemon_count, ready_fd, listen_fd, notify_fd, lock_fd, program_fd, epoll, pipes, signals;
    int64_t patience; /* until a message that nobody reads makes us ask, and until the answer is missed */
} keeper;
_Noreturn void end(int code, const char *format, ...) __attribute__((format(printf, 2, 3))); /* tells the starter, too */
void watch(int fd, enum source source, uint32_t index); /* without memory for it: launch_give_up looks instead, and tries again */
void watch_guests(int operation); /* once: somebody waits for the daemon at one of its sockets, or has written */
void timer_set(enum timer timer, int64_t delay); /* nanoseconds; -1: not at all */

/* launch.c */
extern struct slot {
    struct keeper_event fact; /* all that is known; launch 0: free */
    struct spawn_birth birth;
    uint8_t told; /* the state that this daemon knows of, 0: none */
} slots[KEEPER_SLOTS_MAX];
extern uint32_t slots_used, slots_live; /* high-water mark of indexes; launches in the table */
extern uint64_t highest_launch[2];      /* of services; of the daemon's own, KEEPER_LAUNCH_OWN */
void launch_request(const struct spawn_request *request); /* takes over its descriptors */
void launch_acknowledged(uint64_t launch);
void launch_lighten(uint32_t index); /* an end that is only remembered keeps no pipe that is read to its end */
void launch_queued(void);
void launch_read_report(uint32_t index);
void launch_reap(uint32_t index, int is_patient); /* else an end that nobody has told us is unknown */
int launch_reap_pid(int32_t pid); /* 0: it is nobody's */
/* `fds`: pidfd, read ends; taken over. `told`: the state that the daemon knows of. */
void launch_adopt(const struct keeper_event *known, const int fds[3], uint8_t told);
void launch_give_up(void);
int launch_has_output(void); /* in a pipe, unread */

/* link.c */
void link_open(int fd, int is_resumed); /* resumed: the keeper before us had handed over */
int link_number(void);
int link_is_quiet(void); /* handed over, nothing loose to be said */
void link_renewed(int error); /* 0: by the new keeper */
void link_close(void);
void link_read(void);
void link_flush(void);
void link_note(uint32_t index); /* the slot's state has changed */
void link_refuse(uint64_t launch, uint8_t stage, int error);
void link_ping(void);
int link_is_read(void); /* all that was to be said to a daemon that listens */

/* daemon.c */
extern int daemon_said; /* 1 << KEEPER_HELLO, _SHUTDOWN, _RESTART */
extern uint64_t daemon_starts;
void daemon_start(void);
void daemon_ended(const siginfo_t *end); /* a child that is no service */
void daemon_signal(int signal);
void daemon_is_sound(int program); /* it says that it serves; its file, open */
void daemon_bequeath(struct keeper_legacy *head);
void daemon_inherit(const struct keeper_legacy *head); /* alive with its socket, or only what it was */
void daemon_expect(void);   /* something was sent: look later whether it was read */
void daemon_answered(void); /* a PONG came: it waits for us, or had been asked */
void daemon_hung_up(void);  /* its end of the socket is closed, or it does not speak our language */
void daemon_watch(void);    /* the watchdog's time has come */
void daemon_look(void);     /* a child has ended or was stopped: a daemon that was may never be missed for anything */

/* renew.c */
void renew_ask(int words); /* a memfd: the paths of the new keeper and of its daemon, each with its NUL; taken over */
int renew_is_asked(void);
void renew_turn(void); /* if it was asked for and nothing is under way; returns when it failed */
void renew_give_up(void);

#endif
