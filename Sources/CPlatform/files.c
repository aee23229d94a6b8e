#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "files.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

const void *platform_find_bytes(const void *bytes, size_t count, const void *pattern, size_t pattern_count) {
    return memmem(bytes, count, pattern, pattern_count);
}

bool platform_has_attributes(int descriptor) {
    char names[1024];
#if defined(__APPLE__)
    ssize_t count = flistxattr(descriptor, names, sizeof names, 0);
#else
    ssize_t count = flistxattr(descriptor, names, sizeof names);
#endif
    if (count < 0) return errno != ENOTSUP;
    for (const char *name = names; name < names + count; name += strlen(name) + 1) {
        // Labels that the system gives to every file, and to a new one just so.
        if (strcmp(name, "security.selinux") != 0 && strcmp(name, "com.apple.provenance") != 0) return true;
    }
    return false;
}
