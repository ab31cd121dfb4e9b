/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services whose truth can be told without orch: what they did is in files of their own, appended before it can be known elsewhere.
 *   torture-probe stay DIR NAME MILLISECONDS   writes numbered lines until SIGTERM, and says how many
 *   torture-probe brief DIR NAME               says how it is about to end and ends so; with DIR/rest it stays
 *   torture-probe bomb DIR                     begets eight lines of processes, which beget the next one in a session of its own and leave
 *   torture-probe hang DIR                     mounts a file system that never answers there, until SIGTERM or for a minute
 *   torture-probe disk DIR                     mounts one there that answers at times (disk.c)
 * The first two hold a lock while they live: who finds it taken is the second one of its name.
 */
#include "disk.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

static volatile sig_atomic_t is_told;

static void told(int signal) {
    (void)signal;
    is_told = 1;
}

static void put(int fd, const char *text) {
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t count = write(fd, text, length);
        if (count > 0) text += count, length -= (size_t)count;
    }
}

static void record(const char *folder, const char *file, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) _exit(111);
    put(fd, text);
    close(fd);
}

static void hold(const char *folder, const char *name) {
    char path[512], text[160];
    snprintf(path, sizeof path, "%s/%s.lock", folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) return;
    snprintf(text, sizeof text, "%s %d\n", name, (int)getpid());
    record(folder, "contested", text);
}

static int stay(const char *folder, const char *name, int period) {
    struct sigaction action = {.sa_handler = told};
    sigaction(SIGTERM, &action, NULL);
    hold(folder, name);
    char text[160];
    snprintf(text, sizeof text, "%s %d\n", name, (int)getpid());
    record(folder, "starts", text);
    long count = 0;
    while (!is_told) {
        snprintf(text, sizeof text, "%s %ld a line of a length that is no power of two\n", name, ++count);
        put(STDOUT_FILENO, text);
        poll(NULL, 0, period);
    }
    snprintf(text, sizeof text, "%s %ld\n", name, count);
    record(folder, "written", text);
    return 0;
}

static int brief(const char *folder, const char *name) {
    const char *launch = getenv("ORCH_LAUNCH");
    if (launch == NULL) return 112;
    hold(folder, name);
    char text[160], path[512];
    snprintf(text, sizeof text, "launch %s\n", launch);
    put(STDOUT_FILENO, text);
    snprintf(path, sizeof path, "%s/rest", folder);
    if (access(path, F_OK) == 0) {
        snprintf(text, sizeof text, "%s SIGTERM\n", launch);
        record(folder, "resting", text);
        for (;;) pause();
    }
    unsigned long number = strtoul(launch, NULL, 10);
    int is_killed = number % 17 == 0, code = (int)(number % 7);
    snprintf(text, sizeof text, "%s %s\n", launch, is_killed ? "SIGKILL" : (char[]){(char)('0' + code), 0});
    record(folder, "ends", text);
    if (is_killed) raise(SIGKILL);
    return code;
}

static int bomb(const char *folder) {
    int line = 0;
    while (line < 8 && fork() > 0) line++;
    while (line == 8) pause();
    for (int generation = 0;; generation++) {
        if (generation % 16 == 0) record(folder, "forks", "x");
        pid_t next = fork();
        if (next > 0) _exit(0);
        if (next == 0) setsid(), signal(SIGTERM, SIG_IGN);
        poll(NULL, 0, 1);
    }
}

/* fuse(4): it is asked how it wants to be spoken to, and answers; then it reads all questions, so that who asked can't even be killed. */
static int hang(const char *folder) {
    char text[64], question[1 << 17];
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(text, sizeof text, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
    if (device < 0 || mount("hang", folder, "fuse", 0, text) < 0) return 111;
    alarm(60);
    while (read(device, question, sizeof question) > 0) {
        struct fuse_in_header asked;
        memcpy(&asked, question, sizeof asked);
        if (asked.opcode != FUSE_INIT) continue;
        struct {
            struct fuse_out_header head;
            struct fuse_init_out body;
        } answer = {.head = {.len = sizeof answer, .unique = asked.unique},
                    .body = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096}};
        if (write(device, &answer, sizeof answer) < 0) return 112;
        put(STDOUT_FILENO, "hangs\n");
    }
    return 113;
}

int main(int count, char **words) {
    if (count == 5 && strcmp(words[1], "stay") == 0) return stay(words[2], words[3], atoi(words[4]));
    if (count == 4 && strcmp(words[1], "brief") == 0) return brief(words[2], words[3]);
    if (count == 3 && strcmp(words[1], "bomb") == 0) return bomb(words[2]);
    if (count == 3 && strcmp(words[1], "hang") == 0) return hang(words[2]);
    if (count == 3 && strcmp(words[1], "disk") == 0) return disk_serve(words[2]);
    return 64;
}
