#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "pseudo_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int set_close_on_exec(int descriptor) {
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

static int fail_closing(const platform_pseudo_terminal *opened) {
    int saved = errno;
    if (opened->controller >= 0) close(opened->controller);
    if (opened->terminal >= 0) close(opened->terminal);
    if (opened->monitor >= 0) close(opened->monitor);
    errno = saved;
    return -1;
}

int platform_open_pseudo_terminal(uint16_t rows, uint16_t columns, platform_pseudo_terminal *opened) {
    *opened = (platform_pseudo_terminal){.controller = posix_openpt(O_RDWR | O_NOCTTY), .terminal = -1, .monitor = -1};
    if (opened->controller < 0) return -1;

    char name[128];
    int flags;
    if (set_close_on_exec(opened->controller) != 0 || grantpt(opened->controller) != 0
        || unlockpt(opened->controller) != 0 || ptsname_r(opened->controller, name, sizeof name) != 0
        || (flags = fcntl(opened->controller, F_GETFL)) < 0
        || fcntl(opened->controller, F_SETFL, flags | O_NONBLOCK) != 0) {
        return fail_closing(opened);
    }

    struct winsize size;
    memset(&size, 0, sizeof size);
    size.ws_row = rows;
    size.ws_col = columns;
    if ((opened->terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0
        || (opened->monitor = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) < 0
        || ioctl(opened->terminal, TIOCSWINSZ, &size) != 0) {
        return fail_closing(opened);
    }
    return 0;
}

int platform_reset_terminal_modes(int descriptor, int echo) {
    struct termios modes;
    if (tcgetattr(descriptor, &modes) != 0) return -1;
    struct termios wanted = modes;
    wanted.c_iflag = BRKINT | ICRNL | IXON;
#ifdef IUTF8
    wanted.c_iflag |= IUTF8;
#endif
    wanted.c_oflag = OPOST | ONLCR;
    wanted.c_lflag = ISIG | ICANON | IEXTEN;
    if (echo) wanted.c_lflag |= ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    wanted.c_cc[VINTR] = 3;
    wanted.c_cc[VQUIT] = 28;
    wanted.c_cc[VERASE] = 127;
    wanted.c_cc[VKILL] = 21;
    wanted.c_cc[VEOF] = 4;
    wanted.c_cc[VSUSP] = 26;
    wanted.c_cc[VMIN] = 1;
    wanted.c_cc[VTIME] = 0;
    if (memcmp(&wanted, &modes, sizeof modes) == 0) return 0;
    return tcsetattr(descriptor, TCSANOW, &wanted);
}

int platform_foreground_process_group(int descriptor) {
    pid_t group = -1;
    if (ioctl(descriptor, TIOCGPGRP, &group) != 0) return -1;
    return group;
}
