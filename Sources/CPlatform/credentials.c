#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

int platform_become_user(uid_t user, gid_t group, const gid_t *groups, size_t group_count, int may_gain_privileges) {
    // Groups before the user: afterwards there is no right to change them. As root, both calls set the saved ids too.
    if (setgroups(group_count, groups) != 0 || setgid(group) != 0 || setuid(user) != 0) return -1;
    if (user != 0 && (setuid(0) == 0 || seteuid(0) == 0)) {
        errno = EPERM;
        return -1;
    }
    if (getuid() != user || geteuid() != user || getgid() != group || getegid() != group) {
        errno = EPERM;
        return -1;
    }
#ifdef __linux__
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
    if (!may_gain_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
#else
    (void)may_gain_privileges;
#endif
    return 0;
}

int platform_try_lock_file(const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return -1;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(descriptor, F_SETLK, &lock) == 0) return descriptor;
    int error = errno == EACCES ? EAGAIN : errno;
    close(descriptor);
    errno = error;
    return -1;
}
