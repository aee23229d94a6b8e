# shellcheck shell=bash disable=SC2034 # Variables are read by those who source this.
# Sourced by the scripts: where things are, and what every step of them needs.
# Runs with bash 3.2 too, which is what macOS has.

# Unset in some bare environments, where Swift needs it too.
export HOME=${HOME:-$(cd ~ && pwd)}

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state_directory=${XDG_STATE_HOME:-$HOME/.local/state}/swift-docker-runtime
cache_directory=${XDG_CACHE_HOME:-$HOME/.cache}/swift-docker-runtime

# Where dockerd and debootstrap are, which isn't in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$state_directory" "$cache_directory"

# Progress goes to standard error, so that a script's result can be read from its standard output.
say() {
    printf '==> %s\n' "$*" >&2
}

# complain LINE...: an error, and what to do about it.
complain() {
    printf 'error: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
}

on_linux() {
    [[ $(uname -s) == Linux ]]
}

have_command() {
    command -v "$1" >/dev/null 2>&1
}

as_root() {
    if ((EUID == 0)); then
        "$@" 8>&- 9>&- # Locks of ours, which a daemon started by this would hold for ever (sudo closes them itself).
    elif have_command sudo; then
        sudo "$@"
    else
        complain "'$*' needs root." "Run this script as root, or install sudo."
        return 1
    fi
}

# quietly NAME COMMAND...: runs the command with its output in a log, which is shown when the command fails.
quietly() {
    local log=$state_directory/$1.log running=$state_directory/$1.$$.log status=0
    shift
    "$@" >"$running" 2>&1 || status=$?
    mv "$running" "$log"
    if ((status != 0)); then
        tail -n 40 "$log" >&2
        complain "'$*' failed with exit code $status; the end of its output is above." "The whole: $log"
    fi
    return "$status"
}

# exclusively COMMAND...: runs the command in a subshell, one process at a time on this machine and account.
# (macOS has no flock; there, nothing that is run this way changes what two processes share.)
exclusively() {
    (
        if have_command flock; then
            flock 8
        fi
        "$@"
    ) 8>"$state_directory/exclusive.lock"
}

# process_runs PID [NAME]: whether the process is there, isn't a zombie, and has that name if one is given.
process_runs() {
    local status pattern="* (${2:-*}) *"
    status=$(cat "/proc/$1/stat" 2>/dev/null) || return
    # shellcheck disable=SC2053 # It is a pattern.
    [[ $status == $pattern && $status != *") Z "* ]]
}
