#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# packages - Debian's packages: built twice, lintian, install, upgrade, remove, purge
#
#	tests/program/packages/run.sh [--suite bookworm|trixie|sid] [--debs DIR]
#
# Builds and installs in clean systems of the suite, here bookworm. --debs: test the packages that are
# in DIR, without building them. Needs root and Debian's mirror.
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
suite=bookworm debs=
while [ $# -gt 1 ]; do
	case $1 in
	--suite)	suite=$2 ;;
	--debs)		debs=$(readlink -e "$2") || { echo "packages: $2: expected a folder, found none" >&2; exit 1; } ;;
	*)		break ;;
	esac
	shift 2
done
[ $# = 0 ] || { sed -n '6s/^#//p' "$0" >&2; exit 1; }
scripts/setup packages >&2 || exit 1
. scripts/roots.sh
version=$(cat VERSION)
older=0.0.1
tmp=$(mktemp -d)
builder=$tmp/builder root=$tmp/root
share=$tmp/share	# /ccdm in both
trap 'root_down "$builder"; root_down "$root"; rm -rf --one-file-system "$tmp"' EXIT
mkdir -p "$share/new" "$share/old" "$share/two/another"
echo "KTAP version 1"

# ---- one version, one list of libraries
check "debian/changelog has the version of VERSION" [ "$(dpkg-parsechangelog -S Version)" = "$version" ]
scripts/need packages | grep -vxE 'gcc|make' | sort >"$tmp/expected"
sed -n '/^Build-Depends:/,/^$/p' debian/control | tr -s ', ' '\n' | grep -xFf "$tmp/expected" | sort >"$tmp/found"
check "Build-Depends names what scripts/need names" diff "$tmp/expected" "$tmp/found"

# ---- the packages are the same bytes from another folder, user, umask and time zone
packages=$(sed -n 's/^Package: //p' debian/control)
of() { for p in $packages; do echo "$1/${p}_$version"_*.deb; done; } # of FOLDER: the packages there
building() { inside "$builder" env -C "$@"; }
second() {
	chown -R 65534:65534 "$share/two" && chmod -R go= "$share/two/another/ccdm-$version" && building "/ccdm/two/another/ccdm-$version" \
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/ccdm/two USER=nobody TZ=Asia/Kolkata \
		sh -c 'umask 077; dpkg-buildpackage -us -uc -b'
}
check "a clean $suite to build in" builder_up "$builder"
check "the sources" sources "$share/two/another/ccdm-$version"
[ -n "$debs" ] || {
	debs=$tmp/one
	check "scripts/packages" scripts/packages --to "$debs" "$suite"
	check "dpkg-buildpackage, elsewhere" second
	for p in $packages; do
		check "$p: the same bytes" cmp "$debs/${p}_$version"_*.deb "$share/two/another/${p}_$version"_*.deb
	done
}
check "the packages" eval 'of "$debs" | xargs cp -t "$share/new"'
# Remarks of Debian 12's lintian that later ones do not make, and whose overrides would be errors there: of
# a field that dpkg knows (deb-control(5)), and of units without a script for other inits. systemd passes
# secrets, devices and sockets on to these units, and its sandbox is a part of the broker's security.
old=
[ $suite != bookworm ] || old="--suppress-tags unknown-field,package-supports-alternative-init-but-no-init.d-script"
check "lintian of $suite has no remark" inside "$builder" sh -c "lintian --allow-root --no-cfg $old --display-info --pedantic --fail-on error,warning,info,pedantic /ccdm/new/*.deb"
for o in debian/*.lintian-overrides; do
	[ ! -e "$o" ] || check "${o#debian/}: each override has its reason" awk '/^#/ { why = why || !/SPDX|Copyright/; next } !NF { why = 0; next } { bad += !why } END { exit bad > 0 }' "$o"
done

# ---- a signed module for one kernel, without DKMS
modules=$share/modules
headers=$(cd "$builder" && find usr/src -maxdepth 1 -name 'linux-headers-*-amd64' | sort -V | tail -n1)
release=${headers#usr/src/linux-headers-}
key() { openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$1" -days 30 -keyout "$share/$1.key" -out "$share/$1.crt"; }
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
signing="scripts/modules --key /ccdm/signer.key --cert /ccdm/signer.crt"
check "the sources, once more" sources "$share/three/ccdm"
check "scripts/modules: a package" building /ccdm/three/ccdm sh -c "umask 022; $signing --to /ccdm/modules/1 /$headers"
module=ccdm-modules-${release}_${version}_amd64.deb
check "and again, from another folder" building "/ccdm/two/another/ccdm-$version" env TZ=Asia/Kolkata sh -c "umask 077; $signing --to /ccdm/modules/2 /$headers"
check "$module: the same bytes" cmp "$modules/1/$module" "$modules/2/$module"
dpkg-deb -x "$modules/1/$module" "$modules/x"
ko=$modules/x/usr/lib/modules/$release/updates/dm-ccdm.ko
check_sh "its module is for this kernel, of this version" "[ \"\$(modinfo -F version '$ko') \$(modinfo -F vermagic '$ko' | cut -d' ' -f1)\" = '$version $release' ]"
check "it is signed with the key" signed_by "$ko" "$share/signer.crt"
refuse "and not with another one" "" signed_by "$ko" "$share/other.crt"
mkdir -p build
touch build/in-the-sources.key
refuse_code 1 "a key in the sources" "outside of the sources" scripts/modules --key build/in-the-sources.key --cert "$share/signer.crt" "$tmp"
rm build/in-the-sources.key
refuse_code 1 "a key without a certificate" "expected --cert" scripts/modules --key "$share/signer.key"
refuse_code 1 "a folder without headers" "expected the headers of a kernel" scripts/modules --to "$modules/3" "$tmp"

# ---- a clean root: compiler and headers, and what the packages depend on
depends() {
	local names
	root_up "$root" || return 1
	names=$(inside "$root" sh -c 'apt-get -s --no-install-recommends install /ccdm/new/*.deb' | awk '$1 == "Inst" { print $2 }' |
		grep -vxF "$packages") || return 1
	# shellcheck disable=SC2086
	# (gcc and libc6-dev: of the smoke test; apt-utils: of autopkgtest)
	inside "$root" apt-get -qq --no-install-recommends install $names gcc libc6-dev apt-utils
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
	inside "$root" dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | sort >"$tmp/$1.packages"
}
all_of() { inside "$root" sh -c "dpkg -i /ccdm/$1/*.deb"; }
module_of() { # the version of the module of each kernel
	for k in "$root"/lib/modules/*/build; do modinfo -F version "$(find "$(dirname "$k")" -name 'dm-ccdm.ko*')"; done | sort -u
}

check "a clean $suite, with what the packages depend on" depends
cp debian/tests/smoke "$share/"
snapshot before
for deb in $(of "$debs"); do age "$deb" || result 1 "an older $deb"; done

check "install: an older version" all_of old
check_sh "install: DKMS has built the older module" "[ '$(module_of)' = $older ]"
check "install: the smoke test" inside "$root" env SMOKE_VERSION="$version" sh /ccdm/smoke
check "a broker" inside "$root" ccdm-broker init --name localhost
cp -a "$root/etc/ccdm-broker" "$tmp/broker"

check "upgrade" all_of new
check_sh "upgrade: the module is the new one" "[ '$(module_of)' = $version ]"
check_sh "upgrade: nothing of the older one is left" "! ls '$root/usr/src/ccdm-$older' '$root/var/lib/dkms/ccdm/$older' 2>/dev/null"
mkdir "$tmp/tree" && cp -a debian "$tmp/tree/"
check "upgrade: autopkgtest runs the smoke test" autopkgtest -B "$share/new"/*.deb "$tmp/tree/" -- chroot "$root"
check "upgrade: the broker has its configuration and its keys" diff -r "$tmp/broker" "$root/etc/ccdm-broker"

# shellcheck disable=SC2086
check "remove" inside "$root" dpkg -r $packages
check_sh "remove: no module is left" "[ -z \"\$(find '$root/lib/modules/' -name 'dm-ccdm*')\" ]"
check "remove: the broker has its configuration and its keys" diff -r "$tmp/broker" "$root/etc/ccdm-broker"
# shellcheck disable=SC2086
check "purge" inside "$root" dpkg -P $packages
cp "$modules/1/$module" "$share/"
check "install: the signed module" inside "$root" dpkg -i "/ccdm/$module"
check_sh "install: it is in place" "cmp '$ko' '$root/usr/lib/modules/$release/updates/dm-ccdm.ko'"
check "purge: the signed module" inside "$root" dpkg -P "ccdm-modules-$release"
snapshot after
check "purge: no file is left" diff "$tmp/before.files" "$tmp/after.files"
check "purge: no package is left" diff "$tmp/before.packages" "$tmp/after.packages"
# (Debian keeps accounts of removed packages: their number must not be given to others)
check_sh "purge: /etc is as before, but for the broker's account" "! diff '$tmp/before.etc' '$tmp/after.etc' | grep '^[<>]' | grep -vE ' etc/(passwd|group|shadow|gshadow)-?\$'"

finish
