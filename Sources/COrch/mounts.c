/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"
#include "spawn_mounts.h"
#include "spawn_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

/* sys/mount.h and linux/mount.h can't both be read. */
#define BIND 4096u
#define RECURSIVE 16384u
#define SLAVE (1u << 19)
#define NO_SETUID_NO_DEVICES (2u | 4u)

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static void put(struct spawn_order *order, const char *path, const char *text, size_t length) {
    long fd = raw(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
    step(order, fd);
    step(order, raw(SYS_write, fd, text, length));
    raw(SYS_close, fd);
}

/* In it whoever it is remains that, and nobody else is there. */
static void map_identity(struct spawn_order *order, const char *path, uint32_t identity) {
    char text[32], digits[10];
    size_t length = 0, count = 0;
    do digits[count++] = (char)('0' + identity % 10);
    while ((identity /= 10) > 0);
    for (size_t place = count; place-- > 0;) text[length++] = digits[place];
    text[length++] = ' ';
    for (size_t place = count; place-- > 0;) text[length++] = digits[place];
    text[length++] = ' ', text[length++] = '1';
    put(order, path, text, length);
}

/* Who may not make one is given a name space of users of its own, where it may (user_namespaces(7)). */
static void take_namespace(struct spawn_order *order) {
    uint32_t uid = (uint32_t)raw(SYS_geteuid, 0), gid = (uint32_t)raw(SYS_getegid, 0);
    int changes = (order->spec->flags & (SPAWN_SET_UID | SPAWN_SET_GID | SPAWN_SET_GROUPS)) != 0;
    reach(order, SPAWN_STAGE_NAMESPACE);
    long result = raw(SYS_unshare, CLONE_NEWNS);
    if (result == -EPERM && !changes) {
        step(order, raw(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS));
        raw(SYS_prctl, PR_SET_DUMPABLE, 1); /* else the files are root's; exec resets it */
        put(order, "/proc/self/setgroups", "deny", 4);
        map_identity(order, "/proc/self/uid_map", uid);
        map_identity(order, "/proc/self/gid_map", gid);
        result = 0;
    }
    step(order, result);
    /* What is mounted on the host later is seen here, and nothing the other way round. */
    step(order, raw(SYS_mount, 0, "/", 0, SLAVE | RECURSIVE, 0));
}

static void close_to_writers(struct spawn_order *order, const char *path) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    int is_root = path[0] == '/' && path[1] == 0;
    if (!is_root) step(order, raw(SYS_mount, path, path, 0, BIND | RECURSIVE, 0));
    step(order, raw(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof attributes));
}

static void take_tmp(struct spawn_order *order, const char *path) {
    long result = raw(SYS_mount, "tmpfs", path, "tmpfs", NO_SETUID_NO_DEVICES, "mode=1777");
    if (result != -ENOENT) step(order, result);
}

void mounts_take(struct spawn_order *order) {
    struct spawn_spec *spec = order->spec;
    if (!(spec->flags & (SPAWN_PRIVATE_TMP | SPAWN_READ_ONLY))) return;
    take_namespace(order);
    reach(order, SPAWN_STAGE_READ_ONLY);
    for (uint32_t index = 0; spec->flags & SPAWN_READ_ONLY && index < confinement(order)->read_onlyc; index++)
        close_to_writers(order, strings(spec, confinement(order)->read_only)[index]);
    reach(order, SPAWN_STAGE_TMP);
    if (!(spec->flags & SPAWN_PRIVATE_TMP)) return;
    take_tmp(order, "/tmp");
    take_tmp(order, "/var/tmp");
}

/* A pidfd may stand for what its process is in, 5.8. */
void mounts_join(struct spawn_order *order) {
    if (!(order->spec->flags & SPAWN_JOIN)) return;
    reach(order, SPAWN_STAGE_NAMESPACE);
    long beside = confinement(order)->beside;
    long result = raw(SYS_setns, beside, CLONE_NEWNS);
    if (result == -EPERM) result = raw(SYS_setns, beside, CLONE_NEWUSER | CLONE_NEWNS);
    step(order, result);
    raw(SYS_close, beside);
}

int corch_join_mounts(int pidfd) {
    long result = raw(SYS_setns, pidfd, CLONE_NEWNS);
    if (result == -EPERM) result = raw(SYS_setns, pidfd, CLONE_NEWUSER | CLONE_NEWNS);
    return (int)result;
}
