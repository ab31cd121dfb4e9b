/* SPDX-License-Identifier: Apache-2.0 */
#include "spawn_child.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static int is_string(const struct spawn_spec *spec, uint64_t offset) {
    return offset >= sizeof *spec && offset < spec->length; /* the last byte of the block is NUL */
}

static int is_array(const struct spawn_spec *spec, uint32_t offset, uint64_t bytes, uint32_t alignment) {
    return offset % alignment == 0 && offset >= sizeof *spec && offset <= spec->length &&
           bytes <= spec->length - offset;
}

static int relocate(struct spawn_spec *spec, uint32_t offset, uint32_t count) {
    if (!is_array(spec, offset, ((uint64_t)count + 1) * 8, 8)) return 0;
    uint64_t *entries = (uint64_t *)(void *)((char *)spec + offset);
    for (uint32_t index = 0; index < count; index++) {
        if (!is_string(spec, entries[index])) return 0;
        entries[index] = (uint64_t)(uintptr_t)((char *)spec + entries[index]);
    }
    entries[count] = 0;
    return 1;
}

/* Room for any pid_t behind the name. */
static int has_pid_room(const struct spawn_spec *spec, uint32_t from_end, const char *name) {
    const char *const *envp = (const char *const *)(const void *)((const char *)spec + spec->envp);
    const char *entry = spec->envc >= from_end ? envp[spec->envc - from_end] : NULL;
    return entry != NULL && strncmp(entry, name, strlen(name)) == 0 && strlen(entry) == strlen(name) + 10;
}

static int is_confinement(struct spawn_spec *spec) {
    uint64_t bytes = 0;
    if (spec->flags & (SPAWN_SET_AFFINITY | SPAWN_SET_CAPABILITIES)) bytes = offsetof(struct spawn_confinement, input);
    if (spec->flags & (SPAWN_SET_INPUT | SPAWN_READ_ONLY | SPAWN_JOIN)) bytes = sizeof(struct spawn_confinement);
    if (bytes == 0) return 1;
    if (!is_array(spec, spec->confinement, bytes, 8)) return 0;
    const struct spawn_confinement *confinement = (const void *)((const char *)spec + spec->confinement);
    if ((spec->flags & SPAWN_READ_ONLY) && !relocate(spec, confinement->read_only, confinement->read_onlyc)) return 0;
    return !(spec->flags & SPAWN_SET_INPUT) || is_string(spec, confinement->input);
}

int spawn_spec_check(void *bytes, size_t length) {
    struct spawn_spec *spec = bytes;
    if (length < sizeof *spec || spec->length != length || spec->version != SPAWN_SPEC_VERSION) return -EINVAL;
    if (((char *)bytes)[length - 1] != 0) return -EINVAL;
    if (spec->flags > SPAWN_FLAGS_ALL || spec->argc < 1) return -EINVAL;
    if (!is_confinement(spec)) return -EINVAL;
    if (spec->limitc > SPAWN_LIMITS_MAX || spec->groupc > SPAWN_GROUPS_MAX) return -EINVAL;
    if (spec->groupc > 0 && !is_array(spec, spec->groups, (uint64_t)spec->groupc * 4, 4)) return -EINVAL;
    if (spec->cwd != 0 && !is_string(spec, spec->cwd)) return -EINVAL;
    if (spec->umask > 07777 || spec->nice < -20 || spec->nice > 19) return -EINVAL;
    if (spec->oom_score_adj < -1000 || spec->oom_score_adj > 1000) return -EINVAL;
    if (!relocate(spec, spec->argv, spec->argc)) return -EINVAL;
    if (!relocate(spec, spec->envp, spec->envc)) return -EINVAL;
    if (!relocate(spec, spec->search, spec->searchc)) return -EINVAL;
    /* Arrays that lie over each other may have ended each other. */
    char **argv = (char **)(void *)((char *)spec + spec->argv);
    char **search = (char **)(void *)((char *)spec + spec->search);
    for (uint32_t index = 0; index < spec->searchc; index++)
        if (search[index] == NULL) return -EINVAL;
    uint32_t listens = (spec->flags & SPAWN_LISTEN_PID) != 0;
    if (listens && !has_pid_room(spec, 1, "LISTEN_PID=")) return -EINVAL;
    if ((spec->flags & SPAWN_WATCHDOG_PID) && !has_pid_room(spec, 1 + listens, "WATCHDOG_PID=")) return -EINVAL;
    return argv[0] != NULL && argv[0][0] != 0 ? 0 : -EINVAL;
}
