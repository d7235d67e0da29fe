#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# packages - Debian's packages: built twice, lintian, install, upgrade, remove, purge
#
#	tests/program/packages/run.sh [--debs DIR]
#
# --debs: test the packages that are in DIR, without building them. Needs root and Debian's mirror.
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
scripts/setup packages >&2 || exit 1
cache=${CCDM_CACHE:-/var/cache/ccdm}
suite=bookworm
version=$(cat VERSION)
older=0.0.1
tmp=$(mktemp -d)
chmod 0755 "$tmp"	# the second build has another user
root=$tmp/root
share=$tmp/share	# /ccdm in the root
trap 'umount -q "$root/ccdm" "$root/var/cache/apt/archives" "$root/proc" "$root/dev"; rm -rf --one-file-system "$tmp"' EXIT
echo "KTAP version 1"

# ---- one version, one list of libraries
check "debian/changelog has the version of VERSION" [ "$(dpkg-parsechangelog -S Version)" = "$version" ]
scripts/need packages | grep -vxE 'gcc|make' | sort >"$tmp/expected"
sed -n '/^Build-Depends:/,/^$/p' debian/control | tr -s ', ' '\n' | grep -xFf "$tmp/expected" | sort >"$tmp/found"
check "Build-Depends names what scripts/need names" diff "$tmp/expected" "$tmp/found"

# ---- the packages are the same bytes from another folder, user, umask and time zone
# build FOLDER COMMAND...: copy the sources, and run COMMAND there
build() {
	mkdir -p "$1"
	git ls-files -z -co --exclude-standard | while IFS= read -rd '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done |
		tar --null -T - -cf - | tar -xf - -C "$1" || return 1
	(cd "$1" && "${@:2}")
}
first() { (umask 022; env TZ=UTC dpkg-buildpackage -us -uc -b); }
second() {
	chown -R 65534:65534 .. && chmod -R go= .
	setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$tmp/home" \
		USER=nobody LC_ALL=C.UTF-8 TZ=Asia/Kolkata sh -c 'umask 077; dpkg-buildpackage -us -uc -b'
}
packages=$(sed -n 's/^Package: //p' debian/control)
of() { for p in $packages; do echo "$1/${p}_$version"_*.deb; done; } # of FOLDER: the packages there
twice() {
	check "dpkg-buildpackage" build "$debs/ccdm" first
	check "and again, elsewhere" build "$tmp/two/another/ccdm-$version" second
	for p in $packages; do
		check "$p: the same bytes" cmp "$debs/${p}_$version"_*.deb "$tmp/two/another/${p}_$version"_*.deb
	done
}
if [ "${1:-}" = --debs ]; then debs=$2
else debs=$tmp/one; twice
fi
# shellcheck disable=SC2046 # (words)
check "lintian has no remark" lintian --allow-root --no-cfg --display-info --pedantic --fail-on error,warning,info,pedantic $(of "$debs")
for o in debian/*.lintian-overrides; do
	[ ! -e "$o" ] || check "${o#debian/}: each override has its reason" awk '/^#/ { why = why || !/SPDX|Copyright/; next } !NF { why = 0; next } { bad += !why } END { exit bad > 0 }' "$o"
done

# ---- a signed module for one kernel, without DKMS
modules=$tmp/modules
headers=$(find /usr/src -maxdepth 1 -name 'linux-headers-6.1.*-amd64' | sort -V | tail -n1)
release=${headers#/usr/src/linux-headers-}
key() { openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 30 -keyout "$tmp/$1.key" -out "$tmp/$1.crt"; }
# Verify the signature behind a module with openssl: by the certificate $2.
signed_by() {
	python3 - "$1" "$tmp/body" "$tmp/signature" <<-'P' && openssl smime -verify -binary -inform DER -in "$tmp/signature" \
			-content "$tmp/body" -nointern -certfile "$2" -noverify -out /dev/null
		import sys
		data, magic = open(sys.argv[1], "rb").read(), b"~Module signature appended~\n"
		assert data.endswith(magic)
		end = len(data) - len(magic) - 12
		start = end - int.from_bytes(data[end + 8:end + 12], "big")
		open(sys.argv[2], "wb").write(data[:start])
		open(sys.argv[3], "wb").write(data[start:end])
	P
}
check "a key, and another one" eval "key signer && key other"
check "scripts/modules: a package" scripts/modules --key "$tmp/signer.key" --cert "$tmp/signer.crt" --to "$modules/1" "$headers"
module=ccdm-modules-${release}_${version}_amd64.deb
again() { (umask 077; build "$tmp/three/ccdm" env TZ=Asia/Kolkata scripts/modules --key "$tmp/signer.key" --cert "$tmp/signer.crt" --to "$modules/2" "$headers"); }
check "and again, from another folder" again
check "$module: the same bytes" cmp "$modules/1/$module" "$modules/2/$module"
dpkg-deb -x "$modules/1/$module" "$modules/x"
ko=$modules/x/usr/lib/modules/$release/updates/dm-ccdm.ko
check_sh "its module is for this kernel, of this version" "[ \"\$(modinfo -F version '$ko') \$(modinfo -F vermagic '$ko' | cut -d' ' -f1)\" = '$version $release' ]"
check "it is signed with the key" signed_by "$ko" "$tmp/signer.crt"
refuse "and not with another one" "" signed_by "$ko" "$tmp/other.crt"
touch build/in-the-sources.key
refuse_code 1 "a key in the sources" "outside of the sources" scripts/modules --key build/in-the-sources.key --cert "$tmp/signer.crt" "$headers"
rm build/in-the-sources.key
refuse_code 1 "a key without a certificate" "expected --cert" scripts/modules --key "$tmp/signer.key"
refuse_code 1 "a folder without headers" "expected the headers of a kernel" scripts/modules --to "$modules/3" "$tmp"

# ---- a clean root: compiler and headers, and what the packages depend on
prepare() {
	local tar=$cache/packages/$suite.tar
	mkdir -p "$root" "$share/new" "$share/old" "$cache/packages/$suite/partial" || return 1
	[ -e "$tar" ] || {
		mmdebstrap --quiet --mode=root --variant=minbase --include=linux-headers-amd64 --format=tar \
			"$suite" "$tar.tmp" "$(scripts/mirror)" && mv "$tar.tmp" "$tar"
	} || return 1
	tar -C "$root" --numeric-owner --exclude='./dev/*' -xpf "$tar" && mount --bind /dev "$root/dev" && mount -t proc proc "$root/proc" &&
		mount --bind "$cache/packages/$suite" "$root/var/cache/apt/archives" &&
		mkdir "$root/ccdm" && mount --bind "$share" "$root/ccdm" && of "$debs" | xargs cp -t "$share/new" && cp debian/tests/smoke "$share/"
}
inside() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
depends() {
	local names
	inside apt-get -qq update || return 1
	names=$(inside sh -c 'apt-get -s --no-install-recommends install /ccdm/new/*.deb' | awk '$1 == "Inst" { print $2 }' |
		grep -vxF "$packages") || return 1
	# shellcheck disable=SC2086
	# (gcc and libc6-dev: of the smoke test; apt-utils: of autopkgtest)
	inside apt-get -qq -o APT::Sandbox::User=root --no-install-recommends install $names gcc libc6-dev apt-utils
}

# an older version of a package: the same files, another number
age() {
	local x=$tmp/age
	rm -rf "$x"
	dpkg-deb -R "$1" "$x" || return 1
	find "$x/DEBIAN" "$x/usr" -type f \( -path '*/DEBIAN/*' -o -path '*/usr/src/*' \) -print0 | xargs -0 grep -lIF "$version" |
		xargs -r sed -i "s/\b${version//./\\.}\b/$older/g"
	[ ! -d "$x/usr/src" ] || mv "$x/usr/src/ccdm-$version" "$x/usr/src/ccdm-$older"
	rm "$x/DEBIAN/md5sums"
	dpkg-deb --root-owner-group -b "$x" "$share/old/" >/dev/null
}

# Everything in the root but what changes by itself: logs, caches, dpkg's and apt's lists; and what
# DKMS and depmod keep (the key that DKMS signs with, the index of the modules).
snapshot() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./ccdm -o -path ./var/log -o -path ./var/cache -o -path ./var/lib/dpkg \
		-o -path ./var/lib/apt \) -prune -o ! -name 'modules.*' ! -path './var/lib/dkms/mok.*' -printf '%p %y %m %U:%G %l\n' | sort) >"$tmp/$1.files"
	(cd "$root" && find etc -type f ! -name 'ld.so.cache' -print0 | sort -z | xargs -0 sha256sum) >"$tmp/$1.etc"
	inside dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | sort >"$tmp/$1.packages"
}
all_of() { inside sh -c "dpkg -i /ccdm/$1/*.deb"; }
module_of() { # the version of the module of each kernel
	for k in "$root"/lib/modules/*/build; do modinfo -F version "$(find "$(dirname "$k")" -name 'dm-ccdm.ko*')"; done | sort -u
}

check "a clean Debian" prepare
check "what the packages depend on" depends
snapshot before
for deb in $(of "$debs"); do age "$deb" || result 1 "an older $deb"; done

check "install: an older version" all_of old
check_sh "install: DKMS has built the older module" "[ '$(module_of)' = $older ]"
check "install: the smoke test" inside env SMOKE_VERSION="$version" sh /ccdm/smoke
check "a broker" inside ccdm-broker init --name localhost
cp -a "$root/etc/ccdm-broker" "$tmp/broker"

check "upgrade" all_of new
check_sh "upgrade: the module is the new one" "[ '$(module_of)' = $version ]"
check_sh "upgrade: nothing of the older one is left" "! ls '$root/usr/src/ccdm-$older' '$root/var/lib/dkms/ccdm/$older' 2>/dev/null"
mkdir "$tmp/tree" && cp -a debian "$tmp/tree/"
check "upgrade: autopkgtest runs the smoke test" autopkgtest -B "$share/new"/*.deb "$tmp/tree/" -- chroot "$root"
check "upgrade: the broker has its configuration and its keys" diff -r "$tmp/broker" "$root/etc/ccdm-broker"

# shellcheck disable=SC2086
check "remove" inside dpkg -r $packages
check_sh "remove: no module is left" "[ -z \"\$(find '$root/lib/modules/' -name 'dm-ccdm*')\" ]"
check "remove: the broker has its configuration and its keys" diff -r "$tmp/broker" "$root/etc/ccdm-broker"
# shellcheck disable=SC2086
check "purge" inside dpkg -P $packages
cp "$modules/1/$module" "$share/"
check "install: the signed module" inside dpkg -i "/ccdm/$module"
check_sh "install: it is in place" "cmp '$ko' '$root/usr/lib/modules/$release/updates/dm-ccdm.ko'"
check "purge: the signed module" inside dpkg -P "ccdm-modules-$release"
snapshot after
check "purge: no file is left" diff "$tmp/before.files" "$tmp/after.files"
check "purge: no package is left" diff "$tmp/before.packages" "$tmp/after.packages"
# (Debian keeps accounts of removed packages: their number must not be given to others)
check_sh "purge: /etc is as before, but for the broker's account" "! diff '$tmp/before.etc' '$tmp/after.etc' | grep '^[<>]' | grep -vE ' etc/(passwd|group|shadow|gshadow)-?\$'"

finish
