/* SPDX-License-Identifier: Apache-2.0 */
/* Services as the tests need them: talkative, stubborn, scattered. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int say(const char *path, const char *text) {
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

static int notify(const char *text) { return say(getenv("NOTIFY_SOCKET"), text); }

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

/* What `act` is told to do; milliseconds, -1 for never. */
static struct {
    const char *greeting, *name;
    int is_deaf, child, ready, ends, code, signal, core;
} part = {.child = -1, .ready = -1, .ends = -1};

static int number(const char *argument, const char *key) {
    size_t length = strlen(key);
    return strncmp(argument, key, length) == 0 && argument[length] == '=' ? atoi(argument + length + 1) : -2;
}

static void pause_for(int milliseconds) {
    if (milliseconds > 0) poll(NULL, 0, milliseconds);
}

static void struck(int signal, siginfo_t *facts, void *context) {
    (void)signal, (void)context;
    _exit(facts->si_value.sival_int);
}

static void cued(int signal) {
    (void)signal;
    notify("READY=1");
}

static void be_deaf(void) {
    const int all[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) signal(all[index], SIG_IGN);
}

/* In a session of its own; notices by the pipe that its leader is gone. */
static void outlive(int leader) {
    char byte;
    setsid();
    if (part.ends < 0) say(part.greeting, part.name);
    while (read(leader, &byte, 1) != 0) {}
    pause_for(part.child);
    _exit(0);
}

static int act(void) {
    struct sigaction strike = {.sa_sigaction = struck, .sa_flags = SA_SIGINFO};
    struct sigaction cue = {.sa_handler = cued, .sa_flags = SA_RESTART};
    int ends[2];
    sigaction(SIGUSR2, &strike, NULL);
    sigaction(SIGUSR1, &cue, NULL);
    if (part.is_deaf) be_deaf();
    if (part.child >= 0) {
        if (pipe(ends) != 0) return 1;
        if (fork() == 0) {
            close(ends[1]);
            outlive(ends[0]);
        }
        close(ends[0]);
    }
    if (part.ends < 0) say(part.greeting, part.name); /* else nobody waits for it, and the socket may be full */
    if (part.ready >= 0) {
        pause_for(part.ready);
        notify("READY=1");
    }
    if (part.ends < 0) stay();
    pause_for(part.ends);
    if (part.signal > 0) {
        struct rlimit limit;
        getrlimit(RLIMIT_CORE, &limit);
        limit.rlim_cur = part.core ? limit.rlim_max : 0;
        setrlimit(RLIMIT_CORE, &limit);
        signal(part.signal, SIG_DFL); /* the test build may have brought a runtime that catches it */
        raise(part.signal);
    }
    return part.code;
}

static int read_part(int count, char **arguments) {
    if (count < 4) return 2;
    part.greeting = arguments[2];
    part.name = arguments[3];
    for (int index = 4; index < count; index++) {
        const char *one = arguments[index];
        if (number(one, "deaf") >= 0) part.is_deaf = 1;
        if (number(one, "child") >= 0) part.child = number(one, "child");
        if (number(one, "ready") >= 0) part.ready = number(one, "ready");
        if (number(one, "ends") >= 0) part.ends = number(one, "ends");
        if (number(one, "code") >= 0) part.code = number(one, "code");
        if (number(one, "signal") >= 0) part.signal = number(one, "signal");
        if (number(one, "core") >= 0) part.core = number(one, "core");
    }
    return 0;
}

int main(int count, char **arguments) {
    const char *mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "notify") == 0) {
        for (int index = 2; index < count; index++)
            if (notify(arguments[index]) != 0) return 1;
        stay();
    }
    /* SOCKET NAME and what to do: what stays says its name there once it is all there, and so does its child. */
    if (strcmp(mode, "act") == 0) return read_part(count, arguments) == 0 ? act() : 2;
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
