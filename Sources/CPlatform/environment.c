#include "environment.h"

extern char **environ;

char **platform_environment(void) {
    return environ;
}
