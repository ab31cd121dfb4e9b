/* SPDX-License-Identifier: Apache-2.0 */
/* web PORT-FILE RECORD PATHS
 * Answers every request on a port of 127.0.0.1 that the kernel chooses (written to PORT-FILE) with 200 and keeps the connection. Each
 * request for "/<number>" below PATHS is a record in a file: its number and when it came, two words of 8 bytes, so that the
 * one who asks every second can be held to it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static FILE *record;
static long paths;

static void note(const char *request) {
    const char *path = strchr(request, '/');
    uint64_t words[2];
    struct timespec now;
    if (!path) return;
    words[0] = strtoul(path + 1, 0, 10);
    if (words[0] >= (uint64_t)paths) return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    words[1] = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    fwrite(words, sizeof words, 1, record);
    fflush(record);
}

static void serve(int client) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char request[4096];
    ssize_t count = read(client, request, sizeof request - 1);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) close(client);
        return;
    }
    request[count] = 0;
    note(request);
    if (write(client, answer, sizeof answer - 1) < 0) close(client);
}

static int listen_somewhere(const char *file) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 4096)) return -1;
    getsockname(server, (struct sockaddr *)&address, &length);
    FILE *out = fopen(file, "w");
    if (!out) return -1;
    fprintf(out, "%d\n", ntohs(address.sin_port));
    fclose(out);
    return server;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    record = fopen(arguments[2], "w");
    paths = atol(arguments[3]);
    int epoll = epoll_create1(EPOLL_CLOEXEC), server = listen_somewhere(arguments[1]), on = 1;
    if (server < 0 || !record) {
        perror("web");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = server}, events[64];
    epoll_ctl(epoll, EPOLL_CTL_ADD, server, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 64, -1);
        for (int k = 0; k < ready; k++) {
            if (events[k].data.fd != server) {
                serve(events[k].data.fd);
                continue;
            }
            event.data.fd = accept4(server, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (event.data.fd < 0) continue;
            setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
        }
    }
}
