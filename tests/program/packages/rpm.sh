#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# rpm - the RPM packages: built by Debian's rpmbuild of a tarball, split as Debian's packages, rpmlint
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
scripts/setup rpm >&2 || exit 1
version=$(cat VERSION)
spec=packaging/ccdm.spec
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "KTAP version 1"

check "the spec has the version of VERSION" [ "$(sed -n 's/^Version: *//p' $spec)" = "$version" ]
# musl-gcc is of ccdm-open, the macros are of rpmbuild
check_sh "BuildRequires names what scripts/need names for Fedora" "diff \
	<(sed -n '/^libraries=/,/\"\$/p; /^tools=/,/\"\$/p' scripts/need | tr -d '\"' | awk 'NF == 3 { print \$3 }' | sort -u) \
	<(sed -n 's/^BuildRequires: *//p' $spec | grep -vxE 'musl-gcc|systemd-rpm-macros' | sort)"

# ---- built of a tarball of this tree
mkdir -p "$tmp/ccdm-$version"
git ls-files -z -co --exclude-standard | while IFS= read -rd '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done |
	tar --null -T - -cf - | tar -xf - -C "$tmp/ccdm-$version"
tar -C "$tmp" -czf "$tmp/ccdm-$version.tar.gz" "ccdm-$version"
# (Debian has the libraries under other names)
check "rpmbuild" rpmbuild -ta --nodeps -D "_topdir $tmp/rpm" -D "_tmppath $tmp" "$tmp/ccdm-$version.tar.gz"
rpms=$(find "$tmp/rpm/RPMS" -name '*.rpm' ! -name '*-debug*')
rpm_of() { find "$tmp/rpm/RPMS" -name "$1-$version-*.rpm"; }
# Debian's name of each package
names="ccdm:ccdm ccdm-dkms:ccdm-dkms dracut-ccdm:dracut-ccdm ccdm-broker:ccdm-broker ccdm-image:ccdm-image
	ccdm-open:ccdm-open libccdm0:libccdm libccdm-dev:libccdm-devel"
check_sh "the packages of debian/control and no others" "diff <(sed -n 's/^Package: //p' debian/control | sort) <(printf '%s\n' ${names//[$'\n\t']/ } | cut -d: -f1 | sort) && [ $(wc -l <<<"$rpms") = $(wc -w <<<"$names") ]"

# Files of a package without its documents, at Debian's places. A folder does not count.
files() {
	rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$1" | awk '$1 !~ /^d/ { print $2 }' |
		grep -vE '^/usr/(share/(doc|licenses)|lib/\.build-id)/' |
		sed -E 's,^/usr/lib64/,/usr/lib/@/,; s,/zsh/site-functions/,/zsh/vendor-completions/,; s,(/man/.*\.[0-9])\.gz$,\1,; s,^/,,'
}
# matches DEBIAN: each line of debian/DEBIAN.install has a file in $tmp/files, and each file has a line
matches() {
	local pattern regex bad=0
	: >"$tmp/matched"
	while read -r pattern; do
		regex=$(sed -e "s,\${env:UNITDIR},usr/lib/systemd/system," -e 's,^usr/lib/\*/,usr/lib/@/,' -e 's,[].[+^$],\\&,g' -e 's,\*,.*,g' <<<"$pattern")
		grep -E "^$regex(/.*)?\$" "$tmp/files" >>"$tmp/matched" || { echo "no file: $pattern"; bad=1; }
	done < <(grep -v '^#' "debian/$1.install")
	sort -u "$tmp/matched" | diff - <(sort "$tmp/files") && [ $bad = 0 ]
}
for name in $names; do
	rpm=$(rpm_of "${name#*:}")
	files "$rpm" >"$tmp/files"
	check "${name#*:}: the files of Debian's ${name%:*}" matches "${name%:*}"
	check_sh "${name#*:}: it has its licence" "rpm -qpl '$rpm' | grep -E '^/usr/share/licenses/|/LICENSES/' || rpm -qpR '$rpm' | grep '^libccdm'"
done
refuse "(a file that Debian's package has not is found)" "usr/bin/other" eval 'echo usr/bin/other >>"$tmp/files"; matches libccdm-dev'
check_sh "libccdm-devel needs this libccdm" "rpm -qpR '$(rpm_of libccdm-devel)' | grep -E '^libccdm(\(x86-64\))? = $version-'"
check_sh "dracut-ccdm needs this ccdm" "rpm -qpR '$(rpm_of dracut-ccdm)' | grep -x 'ccdm = $version-1'"
check_sh "ccdm-open needs no library" "! rpm -qpR '$(rpm_of ccdm-open)' | grep -E '\.so'"
check_sh "ccdm needs what its program links" "rpm -qpR '$(rpm_of ccdm)' | grep '^libdevmapper.so'"

# ---- the programs run from where they are
mkdir "$tmp/root"
for rpm in $rpms; do rpm2cpio "$rpm" | (cd "$tmp/root" && cpio -idmu --quiet); done
for p in usr/sbin/ccdm-setup usr/sbin/ccdm-open usr/bin/ccdm-image usr/sbin/ccdm-broker usr/sbin/ccdm-brokerd; do
	check_sh "$p --version" "[ \"\$('$tmp/root/$p' --version)\" = '${p##*/} $version' ]"
done
check_sh "no file names the folder of the build" "! grep -rlF '$tmp' '$tmp/root'"

# ---- rpmlint, whose file says what it need not remark, and why
check "rpmlint finds no error and no warning" rpmlint --strict -c tests/program/packages/rpmlint.toml $spec $rpms
finish
