# shellcheck shell=bash
# Sourced by the scripts: a Docker Engine that answers, and calls to its API.
#
# The API is called with curl, so that no docker command is needed, and none of a certain version.
#
# An engine that already runs is used as it is. Where none answers at the default socket, dockerd is started, and
# stopped again when the last script that uses it has ended, however it ended: each holds a shared lock on
# $state_directory/engine.lock (the kernel lets it go when the process is gone), and a guardian that waits for the
# exclusive lock stops dockerd when it gets it. KEEP_ENGINE=1 leaves the engine running.

# shellcheck source=packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

command_line=("$0" "$@") # A sourced file sees the arguments of the script.
default_engine=unix:///var/run/docker.sock
engine_log=$state_directory/dockerd.log

# Finds the engine as the docker command does: DOCKER_HOST, the current context, the default socket.
# Sets engine_host, engine_url and engine_connection (curl's arguments).
locate_engine() {
    engine_host=${DOCKER_HOST:-}
    if [[ -z $engine_host ]] && have_command docker; then
        engine_host=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || engine_host=
    fi
    engine_host=${engine_host:-$default_engine}

    local certificates=${DOCKER_CERT_PATH:-${HOME:-}/.docker}
    engine_connection=(--noproxy '*')
    case $engine_host in
        unix://*)
            engine_connection+=(--unix-socket "${engine_host#unix://}")
            engine_url=http://localhost
            ;;
        tcp://*)
            engine_url=http://${engine_host#tcp://}
            if [[ -n ${DOCKER_TLS_VERIFY:-} ]]; then
                engine_url=https://${engine_host#tcp://}
                engine_connection+=(
                    --cacert "$certificates/ca.pem" --cert "$certificates/cert.pem" --key "$certificates/key.pem"
                )
            fi
            ;;
        *)
            complain "The Docker Engine is at $engine_host, and only unix:// and tcp:// are spoken here." \
                "Set DOCKER_HOST to such an address."
            return 1
            ;;
    esac
    # What the scripts start must talk to the same engine.
    [[ $engine_host == "$default_engine" ]] || export DOCKER_HOST=$engine_host
}

# engine_request METHOD PATH [CURL-ARGUMENT...]: calls the Engine API and prints the body of the answer.
engine_request() {
    local method=$1 path=$2
    shift 2
    curl --silent --show-error --fail --request "$method" "${engine_connection[@]}" "$@" "$engine_url$path"
}

engine_answers() {
    engine_request GET /_ping --max-time 5 >/dev/null 2>&1
}

# acquire_engine: returns 0 with an engine that answers, else 1 after telling why there is none.
acquire_engine() {
    locate_engine || return
    hold_engine || return
    if engine_answers; then
        return
    fi
    join_engine_group || return
    if [[ -n ${DOCKER_HOST:-} ]]; then
        complain "No Docker Engine answers at $engine_host." \
            "Start it, or unset DOCKER_HOST (or choose another docker context)."
        return 1
    fi
    if ! on_linux; then
        complain "No Docker Engine answers at $engine_host." \
            "Install Docker Desktop (or Colima, or OrbStack) and start it, then try again."
        return 1
    fi
    ensure_command dockerd docker.io || return
    exclusively start_engine || return
    if ! engine_answers; then
        join_engine_group || return
        complain "The Docker Engine runs but doesn't answer at $engine_host."
        return 1
    fi
}

# Takes part in keeping the engine: until this process (or what it becomes with exec) ends, it isn't stopped.
# Waits while an engine that nobody used any more is being stopped.
hold_engine() {
    on_linux || return 0
    exec 9>"$state_directory/engine.lock"
    if ! flock --shared --timeout 60 9; then
        complain "A Docker Engine started by an earlier run has been stopping for a minute. Its log: $engine_log"
        return 1
    fi
}

# An engine that the system started is open to root and to a group. Who may use sudo may run as that group,
# without being in it for good: runs the script again that way, by its command_line.
join_engine_group() {
    local socket=${engine_host#unix://}
    [[ -S $socket && ! -w $socket ]] && on_linux || return 0
    local group
    group=$(stat --format %G "$socket")
    if have_command sudo && [[ -z ${JOINED_ENGINE_GROUP:-} ]]; then
        say "The Docker Engine is open to the group '$group', which you aren't in: going on in it, through sudo"
        if sudo --user "$(id -un)" --group "$group" true; then
            exec sudo --user "$(id -un)" --group "$group" \
                env JOINED_ENGINE_GROUP=1 "HOME=$HOME" "PATH=$PATH" "${command_line[@]}"
        fi
    fi
    complain "You may not use the Docker Engine at $engine_host." \
        "Become a member of the group '$group' ('usermod --append --groups $group $(id -un)' as root), log in again."
    return 1
}

# Starts the engine and waits until it answers.
start_engine() {
    if engine_answers; then
        return # Another run started it meanwhile.
    fi
    if [[ -d /run/systemd/system ]]; then
        say "Starting the Docker Engine (systemctl start docker)"
        as_root systemctl start docker # Returns when the engine is ready, and leaves it to systemd.
        return
    fi
    local pid
    pid=$(cat /var/run/docker.pid 2>/dev/null) || pid=
    if [[ -n $pid ]] && process_runs "$pid" dockerd; then
        say "Waiting for the Docker Engine that is starting (process $pid)"
        wait_for_engine "$pid"
        return
    fi
    start_own_engine
}

start_own_engine() {
    remove_stale_pid_file /var/run/docker.pid dockerd
    remove_stale_pid_file /var/run/docker/containerd/containerd.pid containerd
    mount_control_groups
    local arguments=()
    ((EUID == 0)) || arguments+=(--group "$(id -gn)") # Whom the socket is open to.
    local pid
    pid=$(launch_as_root "$engine_log" dockerd ${arguments[@]+"${arguments[@]}"}) || return
    say "Starting a Docker Engine (process $pid, log $engine_log)"
    if ! wait_for_engine "$pid"; then
        ! process_runs "$pid" dockerd || as_root kill "$pid"
        explain_engine_failure
        return 1
    fi
    [[ ${KEEP_ENGINE:-} == 1 ]] || stop_engine_when_unused "$pid"
}

# launch_as_root LOG COMMAND...: starts a process in a session of its own, so that Ctrl-C doesn't reach it,
# without the locks of this one, and prints its id.
launch_as_root() {
    local log=$1
    shift
    : >"$log" || return
    # shellcheck disable=SC2016 # Expanded by the inner shell.
    as_root sh -c 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 & echo $!' sh "$log" "$@"
}

# A pid file left by a crash or in a copied disk image stops dockerd from starting when its number is in use again.
remove_stale_pid_file() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 0
    process_runs "$pid" "$2" || as_root rm -f "$1"
}

# Small init systems don't mount them, and containers can't be had without.
mount_control_groups() {
    grep -q -E '^[^ ]+ [^ ]+ cgroup2? ' /proc/mounts || as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
}

# wait_for_engine PID: until it answers; fails when the process is gone or a minute has passed.
wait_for_engine() {
    local deadline=$((SECONDS + 60))
    until engine_answers; do
        if ! process_runs "$1" || ((SECONDS > deadline)); then
            return 1
        fi
        sleep 0.1
    done
}

explain_engine_failure() {
    grep -v level=info "$engine_log" | tail -n 8 | cut -c 1-400 >&2
    complain "The Docker Engine (dockerd) doesn't start; the end of its log is above." "The whole: $engine_log"
    if grep -q -i -E 'permission denied|operation not permitted|read-only file system' "$engine_log"; then
        complain "It may not do what it needs to here. In a container, that takes --privileged;" \
            "or run the engine outside and set DOCKER_HOST to its address."
    fi
}

# stop_engine_when_unused PID: see the top of this file.
stop_engine_when_unused() {
    # shellcheck disable=SC2016 # Expanded by the inner shell.
    launch_as_root "$state_directory/guardian.log" sh -c '
        exec 9>>"$1"
        flock --exclusive 9
        [ "$(cat /proc/"$2"/comm)" = dockerd ] || exit
        kill "$2"
        while kill -0 "$2" && ! grep -q ") Z " /proc/"$2"/stat; do
            sleep 0.1
        done
    ' sh "$state_directory/engine.lock" "$1" >/dev/null
}
