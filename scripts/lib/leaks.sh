# shellcheck shell=bash
# Sourced by the scripts: what a run of the tests left behind.

# shellcheck source=engine.sh
source "$(dirname "${BASH_SOURCE[0]}")/engine.sh"

# What carries this label belongs to a running sandbox. (The volume with the server's binary, which stays for the next
# one, doesn't.)
owner_label=swift-docker-runtime.owner

# Each thing of ours that exists now, one a line: its kind, and its name or what it runs.
list_resources() {
    local filters="filters=%7B%22label%22%3A%5B%22$owner_label%22%5D%7D" # {"label":["…"]}
    local containers volumes networks
    containers=$(engine_request GET "/containers/json?all=true&$filters") || return
    volumes=$(engine_request GET "/volumes?$filters") || return
    networks=$(engine_request GET "/networks?$filters") || return
    values Id <<<"$containers" | sed 's/^/container /'
    values Name <<<"$volumes" | sed 's/^/volume /'
    values Name <<<"$networks" | sed 's/^/network /'
    list_processes | sed 's/^/process /'
}

# values KEY: the strings that a JSON text has under the key.
values() {
    grep -o "\"$1\":\"[^\"]*\"" | cut -d '"' -f 4 || true
}

# Processes that run from a build of this checkout.
list_processes() {
    ps -A -o pid= -o args= |
        awk -v builds="$repository/.build" '{ pid = $1; sub(/^ *[0-9]+ /, "") } index($0, builds) == 1 { print pid, $0 }'
}

# report_leaks BEFORE: compares with a list made earlier; tells what is new, and fails if anything is.
report_leaks() {
    local after left
    after=$(list_resources) || return
    left=$(comm -13 <(sort <<<"$1") <(sort <<<"$after"))
    if [[ -n $left ]]; then
        complain "The tests left behind:" "${left//$'\n'/$'\n       '}"
        return 1
    fi
}
