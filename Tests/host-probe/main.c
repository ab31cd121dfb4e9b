/* SPDX-License-Identifier: Apache-2.0 */
/* Services as the tests need them: talkative, stubborn, scattered. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int notify(const char *text) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || strlen(path) >= sizeof address.sun_path) return 1;
    memcpy(address.sun_path, path, strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] != '@'));
    ssize_t sent = sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, length);
    close(fd);
    return sent < 0 ? 1 : 0;
}

static void stay(void) {
    for (;;) pause();
}

/* A child in a session of its own, and a daemon by double fork: neither shares the leader's group, the daemon not even its parent. */
static void scatter(void) {
    signal(SIGTERM, SIG_IGN);
    if (fork() == 0) {
        setsid();
        stay();
    }
    pid_t middle = fork();
    if (middle == 0) {
        setsid();
        if (fork() == 0) {
            notify("STATUS=the daemon is there");
            stay();
        }
        _exit(0);
    }
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "notify") == 0) {
        for (int index = 2; index < count; index++)
            if (notify(arguments[index]) != 0) return 1;
        stay();
    }
    if (strcmp(mode, "scatter") == 0) {
        scatter();
        stay();
    }
    if (strcmp(mode, "scatter-and-exit") == 0) {
        scatter();
        return 0;
    }
    return 2;
}
