/// What Swift can't spell: calls that glibc hides behind _GNU_SOURCE, variadic calls, and code between fork and exec.
#pragma once

#include "child.h"
#include "crc32c.h"
#include "credentials.h"
#include "environment.h"
#include "files.h"
#include "pseudo_terminal.h"
#include "sha256.h"
#include "signals.h"
#include "terminal_spawn.h"
#include "watch.h"
