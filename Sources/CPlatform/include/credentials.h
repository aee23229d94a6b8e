#pragma once

#include <stddef.h>
#include <sys/types.h>

/// Makes the process another user for good, with nothing but these groups; only root may.
///
/// Unless it may gain privileges, no program that it executes gets any by a set-user-id bit (Linux: PR_SET_NO_NEW_PRIVS).
/// Returns 0 once it can't become root again, or -1 with errno set: then who it is isn't known, and it must end.
/// In C because the calls for groups and prctl are hidden or variadic.
int platform_become_user(uid_t user, gid_t group, const gid_t *groups, size_t group_count, int may_gain_privileges);

/// Takes the lock of the account files in the file of that name, as lckpwdf(3) does, and holds it while the descriptor is open.
/// Returns the descriptor, or -1 with errno set; EAGAIN when another program has it. In C since fcntl is variadic.
int platform_try_lock_file(const char *path);
