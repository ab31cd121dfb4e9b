/* SPDX-License-Identifier: Apache-2.0 */
/*
 * torture-probe disk DIR: mounts a file system in memory there, one folder of files (fuse(4)). From SIGUSR1 to SIGUSR2 it does not answer, as
 * a server that is away: who asks waits. It says on standard output what it does, and is gone after two minutes.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX 256
#define QUESTION_MAX (1 << 18)

static struct file {
    char name[128]; /* "": it has none any more */
    char *bytes;
    size_t size, room;
} files[FILES_MAX];
static uint64_t file_count;
static int device;
static volatile sig_atomic_t is_away;

static void told(int signal) { is_away = signal == SIGUSR1; }

static struct file *file_of(uint64_t node) { return node >= 2 && node < file_count + 2 ? &files[node - 2] : NULL; }

static uint64_t node_of(const char *name) {
    for (uint64_t place = 0; place < file_count; place++)
        if (name[0] != 0 && strcmp(files[place].name, name) == 0) return place + 2;
    return 0;
}

static int grow(struct file *file, size_t size) {
    if (size > file->room) {
        char *bytes = realloc(file->bytes, size * 2);
        if (bytes == NULL) return -ENOSPC;
        file->bytes = bytes, file->room = size * 2;
    }
    if (size > file->size) memset(file->bytes + file->size, 0, size - file->size);
    file->size = size;
    return 0;
}

static void answer(uint64_t question, int error, const void *body, size_t length) {
    struct fuse_out_header head = {.len = (uint32_t)(sizeof head + length), .error = error, .unique = question};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)body, length}};
    if (writev(device, parts, length > 0 ? 2 : 1) < 0 && errno != ENOENT) _exit(112);
}

static struct fuse_attr attributes(uint64_t node) {
    struct file *file = file_of(node);
    return (struct fuse_attr){.ino = node, .size = file ? file->size : 0, .blksize = 4096,
                              .mode = file ? S_IFREG | 0644 : S_IFDIR | 0755, .nlink = file == NULL ? 2 : file->name[0] != 0};
}

static struct fuse_entry_out entry(uint64_t node) {
    return (struct fuse_entry_out){.nodeid = node, .generation = 1, .attr = attributes(node)};
}

static void create(uint64_t question, const char *name) {
    uint64_t node = node_of(name);
    if (node == 0) {
        if (file_count == FILES_MAX) return answer(question, -ENOSPC, NULL, 0);
        node = 2 + file_count++;
        snprintf(file_of(node)->name, sizeof file_of(node)->name, "%s", name);
    }
    struct {
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } made = {.entry = entry(node)};
    answer(question, 0, &made, sizeof made);
}

static void change_name(uint64_t question, const char *from, int keeps_other) {
    const char *to = from + strlen(from) + 1;
    uint64_t node = node_of(from), other = node_of(to);
    if (node == 0) return answer(question, -ENOENT, NULL, 0);
    if (other != 0 && keeps_other) return answer(question, -EEXIST, NULL, 0);
    if (other != 0) file_of(other)->name[0] = 0;
    snprintf(file_of(node)->name, sizeof file_of(node)->name, "%s", to);
    answer(question, 0, NULL, 0);
}

static void list(uint64_t question, const struct fuse_read_in *asked) {
    static char text[1 << 15];
    size_t length = 0;
    for (uint64_t place = asked->offset; place < file_count; place++) {
        size_t name = strlen(files[place].name), size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name);
        if (name == 0) continue;
        if (length + size > asked->size || length + size > sizeof text) break;
        struct fuse_dirent head = {.ino = place + 2, .off = place + 1, .namelen = (uint32_t)name, .type = S_IFREG >> 12};
        memset(text + length, 0, size);
        memcpy(text + length, &head, FUSE_NAME_OFFSET);
        memcpy(text + length + FUSE_NAME_OFFSET, files[place].name, name);
        length += size;
    }
    answer(question, 0, text, length);
}

static void set_size(uint64_t question, struct file *file, uint64_t node, const struct fuse_setattr_in *asked) {
    int error = file != NULL && asked->valid & FATTR_SIZE ? grow(file, asked->size) : 0;
    struct fuse_attr_out found = {.attr = attributes(node)};
    answer(question, error, &found, error ? 0 : sizeof found);
}

static void put_bytes(uint64_t question, struct file *file, const struct fuse_write_in *asked) {
    size_t end = asked->offset + asked->size;
    if (end > file->size && grow(file, end) < 0) return answer(question, -ENOSPC, NULL, 0);
    memcpy(file->bytes + asked->offset, asked + 1, asked->size);
    struct fuse_write_out done = {.size = asked->size};
    answer(question, 0, &done, sizeof done);
}

static void get_bytes(uint64_t question, struct file *file, const struct fuse_read_in *asked) {
    size_t left = asked->offset < file->size ? file->size - asked->offset : 0;
    answer(question, 0, file->bytes + asked->offset, left < asked->size ? left : asked->size);
}

static void meet(const struct fuse_in_header *asked, const void *body) {
    uint64_t question = asked->unique, node = asked->nodeid;
    struct file *file = file_of(node);
    const struct fuse_open_out opened = {0};
    const struct fuse_statfs_out room = {.st = {.bsize = 4096, .namelen = 127}};
    const struct fuse_init_out way = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
                                      .flags = FUSE_BIG_WRITES, .max_write = 1 << 17};
    switch (asked->opcode) {
    case FUSE_INIT: return answer(question, 0, &way, sizeof way);
    case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: case FUSE_DESTROY: return;
    case FUSE_OPEN: case FUSE_OPENDIR: return answer(question, 0, &opened, sizeof opened);
    case FUSE_RELEASE: case FUSE_RELEASEDIR: case FUSE_FLUSH: case FUSE_FSYNC: case FUSE_ACCESS: return answer(question, 0, NULL, 0);
    case FUSE_STATFS: return answer(question, 0, &room, sizeof room);
    case FUSE_CREATE: return create(question, (const char *)((const struct fuse_create_in *)body + 1));
    case FUSE_READDIR: return list(question, body);
    case FUSE_RENAME: return change_name(question, (const char *)((const struct fuse_rename_in *)body + 1), 0);
    case FUSE_RENAME2:
        return change_name(question, (const char *)((const struct fuse_rename2_in *)body + 1),
                           ((const struct fuse_rename2_in *)body)->flags & 1 /* RENAME_NOREPLACE */);
    case FUSE_LOOKUP: case FUSE_UNLINK: {
        uint64_t found = node_of(body);
        if (found == 0) return answer(question, -ENOENT, NULL, 0);
        if (asked->opcode == FUSE_UNLINK) return file_of(found)->name[0] = 0, answer(question, 0, NULL, 0);
        struct fuse_entry_out told = entry(found);
        return answer(question, 0, &told, sizeof told);
    }
    case FUSE_GETATTR: {
        struct fuse_attr_out found = {.attr = attributes(node)};
        return answer(question, 0, &found, sizeof found);
    }
    case FUSE_SETATTR: return set_size(question, file, node, body);
    case FUSE_WRITE: if (file != NULL) return put_bytes(question, file, body); break;
    case FUSE_READ: if (file != NULL) return get_bytes(question, file, body); break;
    }
    answer(question, -ENOSYS, NULL, 0);
}

int disk_serve(const char *folder) {
    static char question[QUESTION_MAX];
    char text[64];
    device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(text, sizeof text, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
    struct sigaction action = {.sa_handler = told};
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    /* Whoever started us may have blocked them. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (device < 0 || mount("disk", folder, "fuse", 0, text) < 0) return 111;
    alarm(120);
    for (;;) {
        if (is_away) {
            dprintf(STDOUT_FILENO, "away\n");
            while (is_away) poll(NULL, 0, 20);
            dprintf(STDOUT_FILENO, "back\n");
        }
        ssize_t length = read(device, question, sizeof question);
        if (length < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT)) continue;
        if (length <= 0) return 0;
        meet((const struct fuse_in_header *)question, question + sizeof(struct fuse_in_header));
    }
}
