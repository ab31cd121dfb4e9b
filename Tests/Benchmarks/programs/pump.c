/* SPDX-License-Identifier: Apache-2.0 */
/* pump FOLDER ROTATE-BYTES WRITERS COMMAND... (an argument {} is the writer's number)
 * The limit for logs: one thread that reads 64 KiB from a pipe and writes them to a file, which is rotated at line ends. What a logger
 * that loses nothing has to do at least. Files are FOLDER/<writer>.log and .log.1, .log.2 …, the highest the newest. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 256
static struct {
    int pipe, file, rotated;
    long size;
} writer[MOST];
static const char *folder;
static long rotate_bytes;
static char block[1 << 16];

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static void open_file(int i) {
    char path[512];
    snprintf(path, sizeof path, "%s/%d.log", folder, i);
    writer[i].file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0644);
    writer[i].size = 0;
    if (writer[i].file < 0) fail(path);
}

static void rotate(int i) {
    char from[512], to[540];
    close(writer[i].file);
    snprintf(from, sizeof from, "%s/%d.log", folder, i);
    snprintf(to, sizeof to, "%s.%d", from, ++writer[i].rotated);
    if (rename(from, to)) fail(to);
    open_file(i);
}

static void put(int i, const char *bytes, long count) {
    writer[i].size += count;
    while (count > 0) {
        long some = write(writer[i].file, bytes, (size_t)count);
        if (some < 0 && errno != EINTR) fail("write");
        if (some > 0) bytes += some, count -= some;
    }
}

/* False at the end. */
static int pass(int i) {
    long count = read(writer[i].pipe, block, sizeof block), first = 0;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return 0;
    if (writer[i].size + count > rotate_bytes) {
        long room = rotate_bytes - writer[i].size;
        char *newline = room > 0 ? memrchr(block, '\n', (size_t)room) : 0;
        first = newline ? newline - block + 1 : 0;
        put(i, block, first);
        rotate(i);
    }
    put(i, block + first, count - first);
    return 1;
}

static void launch(int i, int epoll, char **command) {
    int ends[2], count = 0;
    char *arguments[64], number[16];
    posix_spawn_file_actions_t actions;
    pid_t pid;
    open_file(i);
    if (pipe2(ends, O_CLOEXEC)) fail("pipe2");
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    snprintf(number, sizeof number, "%d", i);
    for (; command[count] && count < 63; count++) arguments[count] = strcmp(command[count], "{}") ? command[count] : number;
    arguments[count] = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawn(&pid, arguments[0], &actions, 0, arguments, environ)) fail(arguments[0]);
    close(ends[1]);
    writer[i].pipe = ends[0];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
}

int main(int count, char **arguments) {
    if (count < 5) return 2;
    folder = arguments[1];
    rotate_bytes = atol(arguments[2]);
    int left = atoi(arguments[3]), epoll = epoll_create1(EPOLL_CLOEXEC);
    if (left > MOST) return 2;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < left; i++) launch(i, epoll, arguments + 4);
    while (left) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int k = 0; k < ready; k++) {
            int i = (int)events[k].data.u32;
            if (pass(i)) continue;
            close(writer[i].pipe);
            close(writer[i].file);
            left--;
        }
    }
    while (wait(0) > 0) {}
    return 0;
}
