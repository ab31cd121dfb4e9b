/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two small programs for the keeper's tests.
 *   keeper-probe PATH ... --keeper-fd K --listen-fd L   a daemon that lends its end of the keeper's socket to the
 *     test listening at PATH, together with its pid, and waits for its death
 *   keeper-probe fds | session                          a service that prints what it was born with
 */
#include "corch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_descriptors(void) {
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) printf("%d\n", fd);
    return 0;
}

static int print_session(void) {
    printf("%d\n", getsid(0) == getpid());
    return 0;
}

/* The message: pid, then the file descriptor numbers that were given as options. */
static int lend(const char *path, int count, char **arguments) {
    int32_t message[3] = {getpid(), -1, -1};
    int fds[2] = {-1, -1};
    for (int index = 2; index + 1 < count; index++) {
        if (strcmp(arguments[index], "--keeper-fd") == 0) fds[0] = atoi(arguments[index + 1]);
        if (strcmp(arguments[index], "--listen-fd") == 0) fds[1] = atoi(arguments[index + 1]);
        if (strcmp(arguments[index], "--ready-fd") == 0) message[1] = atoi(arguments[index + 1]);
    }
    int socket = corch_unix_connect(path);
    if (socket < 0 || corch_send(socket, message, sizeof message, NULL, 0, fds, 2, 0) < 0) return 3;
    close(fds[0]);
    if (message[1] >= 0 && write(message[1], "ready\n", 6) == 6) close(message[1]);
    char answer;
    return read(socket, &answer, 1) == 1 ? answer : 4; /* the test says how to exit, or kills us */
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    if (strcmp(arguments[1], "fds") == 0) return print_descriptors();
    if (strcmp(arguments[1], "session") == 0) return print_session();
    return lend(arguments[1], count, arguments);
}
