/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process is to be born: one flat block of bytes, offsets from its start. Strings end with NUL inside
 * the block. `argv`, `envp` and `search` are arrays of 8-byte offsets, 8-aligned, one unused entry
 * longer than their count: the keeper turns them into pointers in place and ends them with NULL.
 */
#ifndef SPAWN_SPEC_H
#define SPAWN_SPEC_H

#include <stdint.h>

#define SPAWN_SPEC_VERSION 1
#define SPAWN_LIMITS_MAX 16
#define SPAWN_GROUPS_MAX 1024

#define SPAWN_SET_UID 0x001u
#define SPAWN_SET_GID 0x002u
#define SPAWN_SET_GROUPS 0x004u
#define SPAWN_SET_UMASK 0x008u
#define SPAWN_SET_NICE 0x010u
#define SPAWN_SET_IOPRIO 0x020u
#define SPAWN_SET_OOM 0x040u
#define SPAWN_NO_NEW_PRIVS 0x080u
#define SPAWN_SET_AFFINITY 0x100u     /* confinement.cpus */
#define SPAWN_SET_CAPABILITIES 0x200u /* confinement.capabilities */
#define SPAWN_LISTEN_PID 0x400u       /* the last of envp is LISTEN_PID= and ten characters more: the child writes its pid there */
#define SPAWN_TERMINAL 0x800u         /* standard input is a terminal: the session's own */
#define SPAWN_SET_INPUT 0x1000u       /* confinement.input */
#define SPAWN_PRIVATE_TMP 0x2000u     /* a /tmp and a /var/tmp of its own, in memory; mount_namespaces(7) */
#define SPAWN_READ_ONLY 0x4000u       /* confinement.read_only; mount_namespaces(7) */
#define SPAWN_JOIN 0x8000u            /* the mounts of the process whose pidfd is the descriptor confinement.beside */
#define SPAWN_WATCHDOG_PID 0x10000u   /* WATCHDOG_PID= is the last of envp, or before LISTEN_PID=, and has room like it */
#define SPAWN_FLAGS_ALL 0x1ffffu

/* Where a launch failed. */
#define SPAWN_STAGE_NONE 0
#define SPAWN_STAGE_SPEC 1         /* the request itself is malformed */
#define SPAWN_STAGE_TABLE 2        /* KEEPER_SLOTS_MAX reached */
#define SPAWN_STAGE_STALE 3        /* the launch id is not above the highest one and no longer known */
#define SPAWN_STAGE_PIPE 4         /* the keeper's own pipe or mapping */
#define SPAWN_STAGE_CLONE 5        /* clone3(2) */
#define SPAWN_STAGE_CGROUP 6       /* entering the control group */
#define SPAWN_STAGE_DESCRIPTORS 7  /* close_range(2), dup3(2) */
#define SPAWN_STAGE_SESSION 8      /* setsid(2) */
#define SPAWN_STAGE_OOM 9          /* /proc/self/oom_score_adj */
#define SPAWN_STAGE_NICE 10        /* setpriority(2) */
#define SPAWN_STAGE_IOPRIO 11      /* ioprio_set(2) */
#define SPAWN_STAGE_LIMITS 12      /* prlimit(2) */
#define SPAWN_STAGE_GROUPS 13      /* setgroups(2) */
#define SPAWN_STAGE_GID 14         /* setresgid(2) */
#define SPAWN_STAGE_UID 15         /* setresuid(2) */
#define SPAWN_STAGE_CWD 16         /* chdir(2) */
#define SPAWN_STAGE_PRIVILEGES 17  /* PR_SET_NO_NEW_PRIVS */
#define SPAWN_STAGE_EXEC 18        /* execve(2) */
#define SPAWN_STAGE_KILLED 19      /* killed before it could execute; error is ECANCELED */
#define SPAWN_STAGE_AFFINITY 20    /* sched_setaffinity(2) */
#define SPAWN_STAGE_CAPABILITIES 21 /* PR_CAPBSET_DROP, capset(2), PR_CAP_AMBIENT */
#define SPAWN_STAGE_TERMINAL 22    /* TIOCSCTTY, ioctl_tty(2) */
#define SPAWN_STAGE_INPUT 23       /* open(2) of the file that it reads */
#define SPAWN_STAGE_NAMESPACE 24   /* unshare(2), setns(2), user_namespaces(7) */
#define SPAWN_STAGE_TMP 25         /* mount(2) of its /tmp */
#define SPAWN_STAGE_READ_ONLY 26   /* mount(2), mount_setattr(2), 5.12 */

struct spawn_limit {
    uint32_t resource; /* RLIMIT_* */
    uint32_t reserved;
    uint64_t soft; /* RLIM_INFINITY is ~0 */
    uint64_t hard;
};

#define SPAWN_CPUS_MAX 1024

struct spawn_confinement {
    uint64_t cpus[SPAWN_CPUS_MAX / 64]; /* bit 0 of the first is CPU 0 */
    uint64_t capabilities;              /* all others are given up for ever; bit 0 is CAP_CHOWN */
    uint32_t input;                     /* offset of a path that is opened as whoever it is to be: standard input. Daemons that came
                                           before know nothing of it and what follows: only their flags say that it is there */
    uint32_t reserved;
    uint32_t beside;                    /* SPAWN_JOIN */
    uint32_t read_onlyc;                /* SPAWN_READ_ONLY: an array of paths as argv is one */
    uint32_t read_only;
    uint32_t padding;
};

struct spawn_spec {
    uint32_t version; /* SPAWN_SPEC_VERSION */
    uint32_t length;  /* of the whole block */
    uint32_t flags;   /* SPAWN_* */
    uint32_t argv;    /* offset; argv[0] is the program: with a slash as it is, else searched */
    uint32_t argc;    /* 1 or more */
    uint32_t envp;
    uint32_t envc;
    uint32_t search; /* directories to search argv[0] in */
    uint32_t searchc;
    uint32_t cwd; /* 0: "/" */
    uint32_t groups; /* offset of uint32_t ids, 4-aligned */
    uint32_t groupc;
    uint32_t uid;
    uint32_t gid;
    uint32_t umask;
    int32_t nice;   /* -20 ... 19 */
    int32_t ioprio; /* class << 13 | data */
    int32_t oom_score_adj; /* -1000 ... 1000 */
    uint32_t limitc;
    uint32_t confinement; /* offset, 8-aligned; with SPAWN_SET_AFFINITY, _CAPABILITIES, _INPUT, _READ_ONLY or _JOIN */
    struct spawn_limit limits[SPAWN_LIMITS_MAX]; /* without RLIMIT_NOFILE its soft limit is 1024: select(2) */
};

#endif
