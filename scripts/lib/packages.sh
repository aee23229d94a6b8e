# shellcheck shell=bash
# Sourced by the scripts: what has to be installed before anything can be built.

# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# install_packages PACKAGE...: with apt-get, where there is one; the names are Debian's.
install_packages() {
    (($#)) || return 0
    if ! have_command apt-get; then
        complain "Not installed: $*" "Install these with your package manager (the names are Debian's), then try again."
        return 1
    fi
    say "Installing $*"
    if [[ -z ${package_lists_are_fresh:-} ]]; then
        quietly apt-get-update as_root apt-get update ||
            say "Not all package lists could be fetched; going on with those that are here."
        package_lists_are_fresh=1
    fi
    quietly apt-get-install as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# ensure_command COMMAND PACKAGE
ensure_command() {
    have_command "$1" || install_packages "$2"
}

have_header() {
    compgen -G "/usr/include/$1" >/dev/null || compgen -G "/usr/include/*/$1" >/dev/null
}

# What the build needs beside the toolchain. Everything else is installed when it turns out to be needed.
missing_build_packages() {
    have_command ld || echo binutils
    have_command curl || echo curl
    have_command ps || echo procps
    have_header stdio.h || echo libc6-dev
    have_header 'c++/*/vector' || echo g++
    have_header curl/curl.h || echo libcurl4-openssl-dev
    have_header zlib.h || echo zlib1g-dev
    missing_toolchain_packages
}

# A toolchain that was unpacked rather than installed may lack libraries that it is linked with.
missing_toolchain_packages() {
    local toolchain
    toolchain=$(command -v swift) || return 0
    toolchain=$(dirname "$(readlink -f "$toolchain")")
    { ldd "$toolchain"/swift-{frontend,package} 2>/dev/null || true; } | awk '/not found/ { print $1 }' | sort -u |
        while read -r library; do
            case $library in
                libcurl.so.*) echo libcurl4 ;;
                libncurses.so.6 | libtinfo.so.6) echo libncurses6 ;;
                libsqlite3.so.0) echo libsqlite3-0 ;;
                libuuid.so.1) echo libuuid1 ;;
                libxml2.so.2) echo libxml2 ;;
            esac
        done
}

ensure_build_packages() {
    on_linux || return 0 # Xcode's SDK has them all.
    local missing
    missing=$(missing_build_packages)
    # shellcheck disable=SC2086 # One word per package.
    install_packages $missing
}

# Programs of packages that would start a service of their own when they are installed: they are taken out of the packages.
#
# take_program PROGRAM DIRECTORY PACKAGE...: the program's path in the first package; the others have libraries for it.
# Prints where it is then.
take_program() {
    local program=$1 directory=$2
    shift 2
    if have_command "$(basename "$program")"; then
        command -v "$(basename "$program")"
        return
    fi
    [[ -x $directory$program ]] || exclusively extract_packages "$directory" "$@" >&2 || return
    echo "$directory$program"
}

# extract_packages DIRECTORY PACKAGE...
extract_packages() {
    local directory=$1
    shift
    if ! have_command apt-get; then
        complain "Not installed: $1" "Install it with your package manager (the name is Debian's), then try again."
        return 1
    fi
    rm -rf "$directory"
    mkdir -p "$directory"
    (
        cd "$directory"
        quietly apt-get-download apt-get download "$@" || {
            quietly apt-get-update as_root apt-get update
            quietly apt-get-download apt-get download "$@"
        } || return
        local package
        for package in ./*.deb; do
            dpkg-deb --extract "$package" .
        done
    )
}

# The docker command, which is at the other end of an engine behind ssh. Debian has had it in a package of its own since 13.
ensure_docker_command() {
    have_command docker && return
    if apt-cache show docker-cli >/dev/null 2>&1; then
        install_packages docker-cli
    else
        install_packages docker.io
    fi
}

# Prints the path of an image registry.
ensure_registry() {
    take_program /usr/bin/docker-registry "$cache_directory/registry" docker-registry
}

# Prints the path of an ssh server that only this user's tests start.
ensure_sshd() {
    ensure_command ssh openssh-client >&2 || return
    local directory=$cache_directory/sshd program
    program=$(take_program /usr/sbin/sshd "$directory" openssh-server libwrap0) || return
    # What it wants when root starts it: where it locks itself up, and whom to be there.
    if on_linux && ((EUID == 0)); then
        mkdir -p /run/sshd
        id sshd >/dev/null 2>&1 ||
            useradd --system --no-create-home --home-dir /run/sshd --shell /usr/sbin/nologin sshd >&2 || return
    fi
    if [[ $program != "$directory"/* ]]; then
        echo "$program"
        return
    fi
    # With its libraries; from version 9.8 on it has helpers, elsewhere than it looks for them.
    local helpers=$directory/usr/lib/openssh
    {
        echo '#!/bin/sh'
        echo "export LD_LIBRARY_PATH=$(dirname "$(find "$directory/usr/lib" "$directory/lib" -name 'libwrap.so*' 2>/dev/null | head -n 1)")"
        printf 'exec %s' "$program"
        [[ ! -e $helpers/sshd-session ]] || printf ' -o SshdSessionPath=%s' "$helpers/sshd-session"
        [[ ! -e $helpers/sshd-auth ]] || printf ' -o SshdAuthPath=%s' "$helpers/sshd-auth"
        echo ' "$@"'
    } >"$directory/run"
    chmod +x "$directory/run"
    echo "$directory/run"
}

# Swift itself isn't ours to install: which version, and where, is the developer's choice.
require_swift() {
    local how="swift.org/install shows how to get it (on Linux: swiftly, then 'swiftly install latest')."
    if ! have_command swift; then
        complain "There is no 'swift' in PATH; this package needs Swift 6.2 or later." "$how"
        return 1
    fi
    local printed
    if ! printed=$(swift --version 2>&1); then
        complain "'swift --version' failed:" "$printed"
        return 1
    fi
    if ! [[ $printed =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]]; then
        complain "'swift --version' names no version:" "$printed"
        return 1
    fi
    local major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    if ((major < 6 || (major == 6 && minor < 2))); then
        complain "This is Swift $major.$minor; this package needs 6.2 or later." "$how"
        return 1
    fi
}

# What the Python that has them has; the recorded cells of the tests were recorded with the same.
python_requirements=(ipython==9.18.1 matplotlib==3.11.2)

# ensure_pythons DIRECTORY: makes two virtual environments in it, 'plain' with nothing and 'ipython' with these packages.
ensure_pythons() {
    local stamp="$1/${python_requirements[*]}"
    [[ ! -e $stamp ]] || return 0
    ensure_command python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
    say "Installing IPython and Matplotlib for the tests"
    rm -rf "$1"
    quietly make-pythons python3 -m venv --without-pip "$1/plain"
    quietly make-pythons python3 -m venv "$1/ipython"
    quietly install-ipython "$1/ipython/bin/python3" -m pip install --disable-pip-version-check "${python_requirements[@]}"
    # The list of the system's fonts, which takes seconds to make.
    MPLCONFIGDIR=$1/matplotlib quietly make-pythons "$1/ipython/bin/python3" -c 'import matplotlib.pyplot'
    touch "$stamp"
}
