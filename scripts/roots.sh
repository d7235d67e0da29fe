# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# roots.sh - clean systems of one suite of Debian; source it from bash, with $suite and $share set
# shellcheck shell=bash
#
#	root_up ROOT [NAME PACKAGES]	a small system, up to date, with PACKAGES: here a kernel's headers.
#					$share is its /ccdm. NAME: of the file in the cache
#	builder_up ROOT			the same with what debian/control needs for a build, lintian, openssl
#	inside ROOT COMMAND...		run a command there
#	sources FOLDER			copy the sources of this tree
#	root_down ROOT			unmount what root_up has mounted
#
# The cache keeps the system, and each package that was downloaded.
# shellcheck disable=SC2154 # (the caller sets suite and share)
roots_cache=${CCDM_CACHE:-/var/cache/ccdm}/packages

inside() {
	chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${@:2}"
}

# root_start ROOT TAR: unpack and mount a system, and bring it up to date
root_start() {
	mkdir -p "$1" "$share" "$roots_cache/$suite/partial" && tar -C "$1" --numeric-owner --exclude='./dev/*' -xpf "$2" && mkdir -p "$1/ccdm" &&
		mount --bind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount --bind "$share" "$1/ccdm" &&
		mount --bind "$roots_cache/$suite" "$1/var/cache/apt/archives" || return 1
	# dpkg need not wait for the disk: nobody keeps this system
	echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/ccdm" &&
		cat >"$1/etc/apt/apt.conf.d/99ccdm" <<-C && inside "$1" apt-get -qq update && inside "$1" apt-get -qq dist-upgrade
			Acquire::Check-Valid-Until "false";
			APT::Sandbox::User "root";
			Binary::apt-get::APT::Keep-Downloaded-Packages "true";
		C
}

root_up() {
	local tar=$roots_cache/$suite${2:+-$2}.tar packages=${3:-linux-headers-amd64}
	mkdir -p "$roots_cache" || return 1
	(
		flock 9
		# (a mirror may lag behind)
		[ -e "$tar" ] || {
			mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --format=tar \
				--aptopt='Acquire::Check-Valid-Until "false"' "$suite" "$tar.tmp" "$(scripts/mirror)" && mv "$tar.tmp" "$tar"
		}
	) 9>"$tar.lock" && root_start "$1" "$tar"
}

builder_up() {
	local tar
	tar=$roots_cache/$suite-build-$(sed -n '/^Build-Depends:/,/^$/p' debian/control | sha256sum | cut -c1-8).tar
	if [ -e "$tar" ]; then
		root_start "$1" "$tar"
		return
	fi
	root_up "$1" && mkdir -p "$share/needs/debian" && cp debian/control debian/changelog "$share/needs/debian/" &&
		inside "$1" apt-get -qq --no-install-recommends build-dep /ccdm/needs &&
		inside "$1" apt-get -qq --no-install-recommends install lintian openssl || return 1
	rm -f "$roots_cache/$suite-build-"*.tar
	tar -C "$1" --one-file-system --exclude='./ccdm/*' --exclude='./var/cache/apt/archives/*' -cf "$tar.$$" . && mv "$tar.$$" "$tar"
}

# (files that are removed, but not for git, do not count)
sources() {
	mkdir -p "$1" && git ls-files -z -co --exclude-standard | while IFS= read -rd '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done |
		tar --null -T - -cf - | tar -xf - -C "$1"
}

root_down() { umount -q "$1/ccdm" "$1/var/cache/apt/archives" "$1/proc" "$1/dev" || true; }
