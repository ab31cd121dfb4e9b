/* SPDX-License-Identifier: Apache-2.0 */
#include "corch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int corch_terminal_open(int fds[2]) {
    int locked = 0, error;
    fds[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fds[0] < 0) return -errno;
    fds[1] = ioctl(fds[0], TIOCSPTLCK, &locked) < 0 ? -1 : ioctl(fds[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[1] >= 0) return 0;
    error = -errno;
    corch_drop(&fds[0]);
    return error;
}

int corch_terminal_resize(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
