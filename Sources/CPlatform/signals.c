#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { slot_count = 4096, signal_limit = 65 };

/// A slot holds signal number * 2^20 + descriptor + 1, or 0 when free: one atomic word, so that the handler never sees half of it.
static _Atomic int slots[slot_count];
/// Slots from here on were never used: the handler needn't look there.
static _Atomic int used_slot_count;
static struct sigaction previous[signal_limit];
static _Atomic int installed[signal_limit];
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

static void forward(int number, siginfo_t *info, void *context) {
    int saved = errno;
    int count = atomic_load(&used_slot_count);
    for (int index = 0; index < count; index++) {
        int slot = atomic_load(&slots[index]);
        if (slot != 0 && slot >> 20 == number) {
            unsigned char byte = (unsigned char)number;
            ssize_t ignored = write((slot & 0xfffff) - 1, &byte, 1);
            (void)ignored;
        }
    }
    struct sigaction *before = &previous[number];
    if (before->sa_flags & SA_SIGINFO) {
        if (before->sa_sigaction != NULL) before->sa_sigaction(number, info, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(number);
    }
    errno = saved;
}

int platform_subscribe_signal(int signal_number, int descriptor) {
    if (signal_number <= 0 || signal_number >= signal_limit || descriptor < 0 || descriptor >= 0xfffff) {
        errno = EINVAL;
        return -1;
    }
    int result = 0;
    pthread_mutex_lock(&installing);
    if (!atomic_load(&installed[signal_number])) {
        struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
        action.sa_sigaction = forward;
        sigemptyset(&action.sa_mask);
        result = sigaction(signal_number, &action, &previous[signal_number]);
        if (result == 0) atomic_store(&installed[signal_number], 1);
    }
    if (result == 0) {
        int index = 0;
        while (index < slot_count && atomic_load(&slots[index]) != 0) index++;
        if (index < slot_count) {
            atomic_store(&slots[index], signal_number << 20 | (descriptor + 1));
            if (index >= atomic_load(&used_slot_count)) atomic_store(&used_slot_count, index + 1);
        } else {
            errno = ENOSPC;
            result = -1;
        }
    }
    pthread_mutex_unlock(&installing);

    // A program started from a thread of a pool may have inherited that the signal is blocked.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return result;
}

void platform_unsubscribe_signals(int descriptor) {
    pthread_mutex_lock(&installing);
    for (int index = 0; index < slot_count; index++) {
        if ((atomic_load(&slots[index]) & 0xfffff) == descriptor + 1) atomic_store(&slots[index], 0);
    }
    pthread_mutex_unlock(&installing);
}

int platform_exited_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
    return info.si_pid;
}

void platform_adopt_orphans(void) {
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}
