/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What orch-keeper and the daemon say to each other over one SOCK_SEQPACKET pair: one struct per
 * message, little endian as the machine is, the version in the first byte, descriptors by SCM_RIGHTS.
 * A message with another version or an impossible length is answered by closing the daemon's socket. A launch whose
 * descriptors the keeper has no room for has failed with EMFILE; STATE and SPAWNED whose descriptors the daemon has no
 * room for arrive without them.
 */
#ifndef KEEPER_PROTOCOL_H
#define KEEPER_PROTOCOL_H

#include <stdint.h>

#define KEEPER_PROTOCOL_VERSION 1

/* Limits. */
#define KEEPER_SLOTS_MAX 16384        /* launches that are running or whose end is not acknowledged */
#define KEEPER_SPEC_MAX 8388608       /* bytes of a spec; execve(2) takes at most 6 MiB anyway */
#define KEEPER_EXTRA_MAX 12           /* descriptors beyond 0, 1 and 2 */
#define KEEPER_NUMBER_MAX 63          /* the highest number a child's descriptor may get */

/* In the environment of a daemon that finds many launches, for itself alone. glibc 2.35 and later read it at exec, others don't know it. */
#define KEEPER_HEAP_VARIABLE "GLIBC_TUNABLES"
#define KEEPER_HEAP "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=4194304"

/* Launches with this bit are the daemon's own (orch-edge): they rise by themselves, apart from those of services. */
#define KEEPER_LAUNCH_OWN (UINT64_C(1) << 63)

/* Types, daemon to keeper. */
#define KEEPER_HELLO 1        /* keeper_note: the daemon has begun to listen; sent once, first */
#define KEEPER_SPAWN 2        /* keeper_spawn + descriptors, the first of which is a sealed memfd: the spec */
#define KEEPER_ACKNOWLEDGE 3  /* keeper_note{launch}: the end is recorded, the pipes are drained: free the slot.
                                 Of a launch still in the keeper's queue: it is cancelled. */
#define KEEPER_SHUTDOWN 4     /* keeper_note: when I have ended and no slot is left, end too */
#define KEEPER_RESTART 5      /* keeper_note: I am about to exit; start me again at once */
#define KEEPER_PONG 6         /* keeper_note: my loop turns; unasked when it has read all and is about to wait for long */

#define KEEPER_ADOPT 7        /* keeper_event + pidfd, read ends to hold: a process of a keeper that was killed. Or, with state
                                 KEEPER_ENDED, twice the same descriptor: it is held until ACKNOWLEDGE and told in STATE */
#define KEEPER_SOUND 8        /* keeper_note + the daemon's program: it serves, and is what to go back to once it has for a while */
#define KEEPER_RENEW 9        /* keeper_note + a memfd: the paths of a new keeper and of its daemon, each with its NUL.
                                 Become that keeper; nothing else is read until RENEWED answers */

/* Types, keeper to daemon: all keeper_event, except STATE_END. */
#define KEEPER_SPAWNED 32       /* pid, start_ticks; + pidfd. The child exists and has not yet executed. */
#define KEEPER_EXECED 33        /* the program runs */
#define KEEPER_SPAWN_FAILED 34  /* stage, error. No process is left; the slot is kept until acknowledged
                                   (except stages TABLE and STALE, which never had one). */
#define KEEPER_EXITED 35        /* code, status, times */
#define KEEPER_STATE 36         /* hand-over: everything known about one launch; + pidfd while it lives, held read ends
                                   until they are drained after its end */
#define KEEPER_STATE_END 37     /* keeper_hand_over */
#define KEEPER_PING 38          /* say PONG */
#define KEEPER_RENEWED 39       /* error 0: says the new keeper. Otherwise the old one goes on as before */

/* Descriptors of SPAWN: first the spec, then these in this order, then the extra ones. */
#define KEEPER_FD_STDIN 0x01u   /* absent: /dev/null */
#define KEEPER_FD_STDOUT 0x02u  /* absent: /dev/null */
#define KEEPER_FD_STDERR 0x04u  /* absent: as standard output */
#define KEEPER_FD_CGROUP 0x08u  /* directory the child is born in */
#define KEEPER_FD_HELD1 0x10u   /* read ends that the keeper holds until ACKNOWLEDGE, or until they are at their end after
                                   the launch's */
#define KEEPER_FD_HELD2 0x20u   /* or the side of a terminal that must stay open, which hangs up as a pipe does */
#define KEEPER_FD_ALL 0x3fu

/* Descriptors of SPAWNED and STATE: this one, then FD_HELD1 and FD_HELD2 (STATE only). */
#define KEEPER_FD_PIDFD 0x40u

/* States of a launch in KEEPER_STATE. */
#define KEEPER_QUEUED 1    /* accepted, waits for one of the keeper's stacks */
#define KEEPER_STARTING 2  /* the child exists, has not executed yet */
#define KEEPER_RUNNING 3   /* the program runs */
#define KEEPER_FAILED 4    /* never executed: stage and error say why; no process is left */
#define KEEPER_ENDED 5     /* code and status say how */

struct keeper_note {
    uint8_t version;
    uint8_t type;
    uint8_t reserved[6];
    uint64_t launch;
};

struct keeper_spawn {
    uint8_t version;
    uint8_t type;
    uint8_t reserved[2];
    uint32_t spec_length;
    uint64_t launch; /* 1 and up, always rising; so are those with KEEPER_LAUNCH_OWN */
    uint32_t fds;    /* KEEPER_FD_* */
    uint32_t extra_count;
    uint8_t extra_numbers[16]; /* 3 ... KEEPER_NUMBER_MAX, each once */
};

struct keeper_event {
    uint8_t version;
    uint8_t type;
    uint8_t state;  /* STATE: KEEPER_QUEUED ... */
    uint8_t stage;  /* SPAWN_FAILED: SPAWN_STAGE_* of spawn_spec.h */
    int32_t error;  /* SPAWN_FAILED: errno */
    uint64_t launch;
    int32_t pid;
    int32_t code;   /* EXITED: CLD_EXITED, CLD_KILLED or CLD_DUMPED, waitid(2); 0: nobody can tell */
    int32_t status; /* EXITED: exit code or signal */
    uint32_t fds;   /* KEEPER_FD_* that came along */
    uint64_t start_ticks; /* proc_pid_stat(5) field 22 */
    uint64_t user_usec;   /* of the process and the children it waited for */
    uint64_t system_usec;
};

struct keeper_hand_over {
    uint8_t version;
    uint8_t type;
    uint8_t reserved[2];
    uint32_t count;          /* STATE messages before this one */
    uint64_t highest_launch; /* without KEEPER_LAUNCH_OWN; 0: none yet */
    uint64_t daemon_starts;  /* 1 for the first daemon; those of former keepers are counted on */
};

/* What a keeper that was killed leaves in the hands of its daemon, which becomes the next one, and what a keeper leaves
 * to the program that it becomes (KEEPER_RENEW): execve of orch-keeper --legacy FD, a memfd with this head and then a
 * keeper_legacy_slot for each launch. Its descriptors and those in it are KEEPER_FLOOR and up and stay open; all below
 * are closed. */
#define KEEPER_FLOOR 608

struct keeper_legacy {
    uint8_t version;
    uint8_t is_given_up; /* an upgrade's keeper has died: begin with the daemon at sound_fd */
    uint8_t reserved[2];
    int32_t listen_fd;
    int32_t lock_fd;
    int32_t notify_fd;
    int32_t sound_fd;     /* the program of the daemon that served last; -1: none */
    int32_t link_fd;      /* the socket of a daemon that lives; -1: none does */
    int32_t daemon_pid;   /* of it */
    uint32_t daemon_said; /* by it: 1 << KEEPER_HELLO ... */
    uint32_t padding;
    uint64_t highest_launch[2]; /* of services; with KEEPER_LAUNCH_OWN */
    uint64_t daemon_starts;     /* so far */
};

struct keeper_legacy_slot {
    struct keeper_event event; /* as in STATE: KEEPER_RUNNING, KEEPER_FAILED or KEEPER_ENDED */
    int32_t fds[3];            /* the pidfd and the read ends to hold; -1: none */
    uint8_t told;              /* the state that the daemon knows of; 0: none */
    uint8_t reserved[3];
};

#endif
