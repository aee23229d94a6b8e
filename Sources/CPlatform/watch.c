#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void cplatform_watch_end(cplatform_watch *watch) {
    int *descriptors[] = {&watch->descriptor, &watch->directory, &watch->file};
    for (int index = 0; index < 3; index++) {
        if (*descriptors[index] >= 0) close(*descriptors[index]);
        *descriptors[index] = -1;
    }
}

static int fail(cplatform_watch *watch) {
    int error = errno;
    cplatform_watch_end(watch);
    errno = error;
    return -1;
}

#if defined(__linux__)

#include <sys/inotify.h>

int cplatform_watch_begin(cplatform_watch *watch, const char *directory, const char *file) {
    // A directory's watch tells of changes to the files in it too: inotify(7).
    (void)file;
    watch->directory = watch->file = -1;
    watch->descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->descriptor < 0) return -1;
    int result = inotify_add_watch(watch->descriptor, directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    return result < 0 ? fail(watch) : 0;
}

void cplatform_watch_drain(const cplatform_watch *watch) {
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(watch->descriptor, events, sizeof events) > 0) {
    }
}

#else

#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

int cplatform_watch_begin(cplatform_watch *watch, const char *directory, const char *file) {
    // A directory's node tells of names only, so the file is watched by its own, when it is there: kqueue(2).
    watch->descriptor = kqueue();
    watch->directory = open(directory, O_EVTONLY | O_CLOEXEC);
    watch->file = open(file, O_EVTONLY | O_CLOEXEC);
    if (watch->descriptor < 0 || watch->directory < 0) return fail(watch);
    fcntl(watch->descriptor, F_SETFD, FD_CLOEXEC);
    struct kevent changes[2];
    EV_SET(&changes[0], watch->directory, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_WRITE | NOTE_DELETE, 0, NULL);
    EV_SET(&changes[1], watch->file, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_WRITE | NOTE_EXTEND, 0, NULL);
    return kevent(watch->descriptor, changes, watch->file < 0 ? 1 : 2, NULL, 0, NULL) < 0 ? fail(watch) : 0;
}

void cplatform_watch_drain(const cplatform_watch *watch) {
    struct kevent events[8];
    struct timespec none = {0, 0};
    while (kevent(watch->descriptor, NULL, 0, events, 8, &none) > 0) {
    }
}

#endif
