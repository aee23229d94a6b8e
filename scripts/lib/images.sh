# shellcheck shell=bash
# Sourced by the scripts: the images that the demo and the tests run in.
#
# Both carry a checksum of this file in a label: an image made by another version of it is made again.

# shellcheck source=engine.sh
source "$(dirname "${BASH_SOURCE[0]}")/engine.sh"

debian_image=swift-docker-runtime/debian:bookworm
busybox_image=swift-docker-runtime/busybox:latest

debian_packages="ca-certificates git procps python3"
recipe_label=swift-docker-runtime.recipe
recipe=$(cksum <"${BASH_SOURCE[0]}" | cut -d ' ' -f 1)

engine_has_image() {
    engine_request GET "/images/$1/json" >/dev/null 2>&1
}

image_is_current() {
    engine_request GET "/images/$1/json" 2>/dev/null | grep -q "\"$recipe_label\":\"$recipe\""
}

# replacing_image NAME:TAG COMMAND...: runs what makes the image, then removes the one that had the name before,
# unless a container uses it.
replacing_image() {
    local before status=0
    before=$(image_id "$1")
    "${@:2}" || status=$?
    if [[ -n $before && $(image_id "$1") != "$before" ]]; then
        engine_request DELETE "/images/$before" >/dev/null 2>&1 || true
    fi
    return "$status"
}

image_id() {
    engine_request GET "/images/$1/json" 2>/dev/null | grep -o '"Id":"[^"]*"' | head -n 1 | cut -d '"' -f 4 || true
}

# pull_image NAME TAG: gives up on a registry that is silent for ten seconds.
pull_image() {
    engine_request POST "/images/create?fromImage=$1&tag=$2" --speed-limit 1 --speed-time 10 \
        >"$state_directory/pull.log" 2>&1
    engine_has_image "$1:$2"
}

# import_image NAME:TAG TAR: makes an image of a root file system.
import_image() {
    engine_request POST "/images/create?fromSrc=-&repo=${1%:*}&tag=${1##*:}&changes=LABEL%20$recipe_label=$recipe" \
        --upload-file "$2" >"$state_directory/import.log" 2>&1
    image_is_current "$1" || {
        cat "$state_directory/import.log" >&2
        complain "The engine didn't take $2 as the image $1; its answer is above."
        return 1
    }
}

# build_image NAME:TAG DIRECTORY: from the Dockerfile there.
build_image() {
    tar --directory "$2" --create --file - . |
        engine_request POST "/build?t=$1" --header 'Content-Type: application/x-tar' --upload-file - \
            >"$state_directory/build-image.log" 2>&1
    image_is_current "$1"
}

# A Debian with bash, git and Python.
ensure_debian_image() {
    image_is_current "$debian_image" || exclusively replacing_image "$debian_image" make_debian_image
}

make_debian_image() {
    if image_is_current "$debian_image"; then
        return # Another run made it meanwhile.
    fi
    local tar=$cache_directory/debian-$recipe.tar
    if [[ -e $tar ]]; then
        import_image "$debian_image" "$tar"
        return
    fi
    say "Looking for debian:bookworm-slim in the registry"
    if pull_image debian bookworm-slim; then
        say "Building the image $debian_image on debian:bookworm-slim"
        if build_debian_image; then
            return
        fi
        say "That failed (see $state_directory/build-image.log)"
    fi
    if ! on_linux; then
        complain "Making the image $debian_image takes a registry that has debian:bookworm-slim, and none answers." \
            "The registry's answer is in $state_directory/pull.log."
        return 1
    fi
    bootstrap_debian "$tar" && import_image "$debian_image" "$tar"
}

build_debian_image() {
    local directory=$cache_directory/debian-build
    mkdir -p "$directory"
    cat >"$directory/Dockerfile" <<DOCKERFILE
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends $debian_packages \
    && rm -rf /var/lib/apt/lists/*
LABEL $recipe_label=$recipe
DOCKERFILE
    build_image "$debian_image" "$directory"
}

# bootstrap_debian TAR: the same with debootstrap. DEBIAN_MIRROR chooses another mirror than debootstrap's own.
bootstrap_debian() {
    ensure_command debootstrap debootstrap || return
    # Without the keyring, packages would be taken unverified.
    [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]] || install_packages debian-archive-keyring || return
    say "Making the image $debian_image with debootstrap (half a minute or so, once)"
    local root=$cache_directory/debian-root
    rm -f "$cache_directory"/debian-*.tar
    as_root rm -rf --one-file-system "$root"
    # shellcheck disable=SC2086 # No argument when no mirror is given.
    quietly debootstrap as_root debootstrap --variant=minbase --include="${debian_packages// /,}" \
        bookworm "$root" ${DEBIAN_MIRROR:-} || return
    as_root tar --directory "$root" --numeric-owner --create --file - \
        --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' \
        --exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/man/*' \
        . >"$1.part" || return
    mv "$1.part" "$1"
    as_root rm -rf --one-file-system "$root"
}

# Nothing but busybox: a shell that isn't bash, no git, no Python.
ensure_busybox_image() {
    image_is_current "$busybox_image" || exclusively replacing_image "$busybox_image" make_busybox_image
}

make_busybox_image() {
    if on_linux; then
        import_static_busybox
        return
    fi
    say "Looking for busybox:latest in the registry"
    if ! pull_image busybox latest; then
        complain "Making the image $busybox_image takes a registry that has busybox, and none answers." \
            "The registry's answer is in $state_directory/pull.log."
        return 1
    fi
    build_busybox_image
}

build_busybox_image() {
    local directory=$cache_directory/busybox-build
    mkdir -p "$directory"
    printf 'FROM busybox:latest\nLABEL %s=%s\n' "$recipe_label" "$recipe" >"$directory/Dockerfile"
    build_image "$busybox_image" "$directory"
}

# Prints the path of a statically linked busybox.
ensure_static_busybox() {
    local path=$cache_directory/busybox
    [[ -x $path ]] || exclusively take_static_busybox "$path" >&2 || return
    echo "$path"
}

import_static_busybox() {
    local root=$cache_directory/busybox-root tar=$cache_directory/busybox.tar
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,etc,proc,root,sys,tmp,usr/bin,var/tmp}
    chmod 1777 "$root/tmp" "$root/var/tmp"
    take_static_busybox "$root/bin/busybox" || return
    local applet
    for applet in $("$root/bin/busybox" --list); do
        [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    tar --directory "$root" --owner=0 --group=0 --numeric-owner --create --file "$tar" . || return
    import_image "$busybox_image" "$tar"
    rm -rf "$root" "$tar"
}

# take_static_busybox PATH: the system's if it is static, else Debian's, without installing it: on some systems that
# would replace the busybox that they boot with.
take_static_busybox() {
    local installed
    installed=$(command -v busybox) || installed=
    if [[ -n $installed ]] && ! LC_ALL=C readelf --program-headers "$installed" | grep -q INTERP; then
        install -m 755 "$installed" "$1"
        return
    fi
    if ! have_command apt-get; then
        complain "There is no statically linked busybox in PATH." "Install one with your package manager."
        return 1
    fi
    local directory=$cache_directory/busybox-package
    rm -rf "$directory"
    mkdir -p "$directory"
    (
        cd "$directory"
        quietly apt-get-download apt-get download busybox-static || {
            quietly apt-get-update as_root apt-get update
            quietly apt-get-download apt-get download busybox-static
        } || return
        dpkg-deb --extract ./*.deb .
    ) || return
    local extracted=$directory/usr/bin/busybox
    [[ -e $extracted ]] || extracted=$directory/bin/busybox
    install -m 755 "$extracted" "$1" || return
    rm -rf "$directory"
}
