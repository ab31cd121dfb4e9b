/* SPDX-License-Identifier: Apache-2.0 */
/* limit run THREADS PLAN SLOTS SERVICE SOCKET
 * What the machine itself takes for starting and restarting services: a loop with nothing in it but the kernel's work. PLAN has one
 * line for each service: the number of the one it depends on, or -1; it is started once that one has executed. A pidfd in epoll tells
 * of its death, and it is started again at once. SIGTERM signals all, reaps all and ends. Who connects to SOCKET gets a row for each.
 *   THREADS 1: each child by clone(CLONE_VM | CLONE_VFORK), so the parent sleeps until it has executed.
 *   THREADS n: the same, each with a share of the services.
 *   THREADS 0: one thread that doesn't wait for that, each child on a stack of its own.
 * limit status SOCKET: asks for the rows and prints them. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 16384
#define TOLD (1ull << 40)
#define ASKED (1ull << 41)

struct service {
    int parent, first_child, next_sibling, pidfd;
    pid_t pid;
    char *argv[4], number[16];
};
struct loop {
    int epoll, live, index;
    pthread_t thread;
    char stack[STACK] __attribute__((aligned(16)));
};
static struct service *services;
static int count, threads, no_wait, signals, listener;
static volatile int is_stopping;
static char *stacks;

static int child(void *argument) {
    struct service *service = argument;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    execve(service->argv[0], service->argv, environ);
    _exit(127);
}

/* With THREADS 0 a stack is used again only after the service's death, so never by two. */
static void spawn(struct loop *loop, int i) {
    struct service *service = &services[i];
    char *top = no_wait ? stacks + (size_t)(i + 1) * STACK : loop->stack + STACK;
    int flags = CLONE_VM | CLONE_PIDFD | SIGCHLD | (no_wait ? 0 : CLONE_VFORK);
    service->pid = clone(child, top, flags, service, &service->pidfd);
    if (service->pid < 0) {
        perror("clone");
        exit(1);
    }
    loop->live++;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (unsigned)i};
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, service->pidfd, &event);
}

static void spawn_tree(struct loop *loop, int i) {
    spawn(loop, i);
    for (int c = services[i].first_child; c >= 0; c = services[c].next_sibling) spawn_tree(loop, c);
}

static void tell_all(void) {
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) < 0) return;
    is_stopping = 1;
    for (int i = 0; i < count; i++)
        if (services[i].pidfd >= 0) syscall(SYS_pidfd_send_signal, services[i].pidfd, SIGTERM, 0, 0);
}

static void answer(void) {
    static char rows[64 * 16384];
    int client = accept4(listener, 0, 0, SOCK_CLOEXEC), length = 0;
    for (int i = 0; i < count && length < (int)sizeof rows - 64; i++)
        length += snprintf(rows + length, 64, "s%-6d running %d\n", i, services[i].pid);
    for (ssize_t done = 0, some; done < length; done += some)
        if ((some = write(client, rows + done, (size_t)(length - done))) <= 0) break;
    close(client);
}

/* Taken out of epoll by hand: a child between clone and exec has a copy of every descriptor, so closing ours alone may leave the
 * registration behind, which would then tell of the next service in this slot. */
static void bury(struct loop *loop, int i) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)services[i].pidfd, &info, WEXITED | WNOHANG) || info.si_pid == 0) return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, services[i].pidfd, 0);
    close(services[i].pidfd);
    services[i].pidfd = -1;
    loop->live--;
    if (!is_stopping) spawn(loop, i);
}

static void start_all(struct loop *loop) {
    int roots = 0;
    for (int i = 0; i < count; i++) roots += services[i].parent < 0;
    if (roots == count) {
        for (int i = loop->index; i < count; i += threads) spawn(loop, i);
    } else if (loop->index == 0) {
        for (int i = 0; i < count; i++)
            if (services[i].parent < 0) spawn_tree(loop, i);
    }
}

static void *run(void *argument) {
    struct loop *loop = argument;
    struct epoll_event events[64], told = {.events = EPOLLIN, .data.u64 = TOLD}, asked = {.events = EPOLLIN, .data.u64 = ASKED};
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->index == 0) {
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, signals, &told);
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, listener, &asked);
    }
    start_all(loop);
    while (!(is_stopping && loop->live == 0)) {
        /* Only the first loop hears the signal; the others look. */
        int ready = epoll_wait(loop->epoll, events, 64, threads > 1 ? 50 : -1);
        for (int k = 0; k < ready; k++) {
            if (events[k].data.u64 == TOLD) tell_all();
            else if (events[k].data.u64 == ASKED) answer();
            else bury(loop, (int)events[k].data.u64);
        }
    }
    return 0;
}

static void read_plan(const char *plan, char *slots, char *program) {
    FILE *file = fopen(plan, "r");
    int parent, room = 0;
    if (!file) exit(3);
    while (fscanf(file, "%d", &parent) == 1) {
        if (count == room) services = realloc(services, (size_t)(room = room ? room * 2 : 1024) * sizeof *services);
        services[count++] = (struct service){.parent = parent, .first_child = -1, .next_sibling = -1, .pidfd = -1};
    }
    fclose(file);
    for (int i = count - 1; i >= 0; i--) {
        struct service *service = &services[i];
        snprintf(service->number, sizeof service->number, "%d", i);
        service->argv[0] = program, service->argv[1] = slots, service->argv[2] = service->number;
        if (service->parent < 0) continue;
        service->next_sibling = services[service->parent].first_child;
        services[service->parent].first_child = i;
    }
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int status(const char *path) {
    struct sockaddr_un address = address_of(path);
    char block[65536];
    ssize_t some;
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address)) return 1;
    while ((some = read(server, block, sizeof block)) > 0)
        if (write(1, block, (size_t)some) < 0) return 1;
    return 0;
}

static void listen_at(const char *path) {
    struct sockaddr_un address = address_of(path);
    unlink(path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) exit(4);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "status")) return status(argv[2]);
    if (argc != 7) return 2;
    threads = atoi(argv[2]);
    if (threads == 0) no_wait = 1, threads = 1;
    read_plan(argv[3], argv[4], argv[5]);
    if (no_wait) stacks = mmap(0, (size_t)count * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, 0);
    signals = signalfd(-1, &ending, SFD_CLOEXEC);
    listen_at(argv[6]);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    struct loop *loops = calloc((size_t)threads, sizeof *loops);
    for (int t = 1; t < threads; t++) {
        loops[t].index = t;
        pthread_create(&loops[t].thread, 0, run, &loops[t]);
    }
    run(&loops[0]);
    for (int t = 1; t < threads; t++) pthread_join(loops[t].thread, 0);
    return 0;
}
