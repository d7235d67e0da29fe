#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# package - packaging and shell: install, uninstall, man pages, completion, DKMS.
# Runs on the host, in temporary folders.
set -u
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib/ktap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
version=$(cat VERSION)
# the headers of kernel 6.1, as for the tests
kdir=$(find /usr/src -maxdepth 1 -name 'linux-headers-6.1.*-amd64' | sort -V | tail -n1)
release=${kdir#/usr/src/linux-headers-}
echo "KTAP version 1"

# ---- make install, make uninstall
check "make install DESTDIR= PREFIX=" make -s install KDIR="$kdir" DESTDIR="$tmp/root" PREFIX=/usr
(cd "$tmp/root" && find . ! -type d | sort) >"$tmp/files"
sort >"$tmp/expected" <<-E
	$(cd dracut-module/50ccdm && printf './usr/lib/dracut/modules.d/50ccdm/%s\n' *)
	./usr/lib/dracut/dracut.conf.d/50-ccdm.conf
	./usr/lib/modules/$release/updates/dm-ccdm.ko
	./usr/lib/systemd/system-generators/ccdm-tab-generator
	./usr/lib/systemd/system/ccdm-attach@.service
	./usr/lib/systemd/system/ccdm-monitor.service
	$(cd userspace/setup && printf './usr/lib/systemd/system/%s\n' ccdm-workload*)
	./usr/lib/udev/rules.d/95-dm-ccdm.rules
	./usr/sbin/ccdm-setup
	./usr/share/bash-completion/completions/ccdm-setup
	./usr/share/fish/vendor_completions.d/ccdm-setup.fish
	./usr/share/zsh/vendor-completions/_ccdm-setup
	./usr/share/man/man5/ccdm.conf.5
	./usr/share/man/man5/ccdmtab.5
	./usr/share/man/man7/dracut.ccdm.7
	./usr/share/man/man8/ccdm-setup.8
E
check "these files and no others are installed" diff "$tmp/expected" "$tmp/files"
check "make install-broker DESTDIR= PREFIX=" make -s install-broker DESTDIR="$tmp/broker" PREFIX=/usr
sort >"$tmp/expected" <<-E
	./usr/lib/systemd/system/ccdm-brokerd.service
	./usr/lib/sysusers.d/ccdm-broker.conf
	./usr/sbin/ccdm-broker
	./usr/sbin/ccdm-brokerd
	./usr/share/bash-completion/completions/ccdm-broker
	./usr/share/bash-completion/completions/ccdm-brokerd
	./usr/share/fish/vendor_completions.d/ccdm-broker.fish
	./usr/share/fish/vendor_completions.d/ccdm-brokerd.fish
	./usr/share/zsh/vendor-completions/_ccdm-broker
	./usr/share/zsh/vendor-completions/_ccdm-brokerd
	./usr/share/man/man5/ccdm-policy.5
	./usr/share/man/man8/ccdm-broker.8
	./usr/share/man/man8/ccdm-brokerd.8
E
(cd "$tmp/broker" && find . ! -type d | sort) >"$tmp/files"
check "the broker's files and no others" diff "$tmp/expected" "$tmp/files"
check "make install-image DESTDIR= PREFIX=" make -s install-image DESTDIR="$tmp/image" PREFIX=/usr
sort >"$tmp/expected" <<-E
	./usr/bin/ccdm-image
	./usr/share/bash-completion/completions/ccdm-image
	./usr/share/fish/vendor_completions.d/ccdm-image.fish
	./usr/share/man/man1/ccdm-image.1
	./usr/share/man/man5/ccdm-workload.yaml.5
	./usr/share/zsh/vendor-completions/_ccdm-image
E
(cd "$tmp/image" && find . ! -type d ! -path './usr/share/ccdm/source/*' | sort) >"$tmp/files"
check "those of ccdm-image and no others" diff "$tmp/expected" "$tmp/files"
check "and the sources that ccdm-image base compiles" make -n -C "$tmp/image/usr/share/ccdm/source" install-programs DESTDIR=/none
check_sh "they can be read by everybody" "[ -z \"\$(find '$tmp/image/usr/share/ccdm' ! -perm -0444 -o -perm /022)\" ]"
check "make install-open DESTDIR= PREFIX= LIBDIR=" make -s install-open DESTDIR="$tmp/open" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu
sort >"$tmp/expected" <<-E
	./usr/include/ccdm.h
	./usr/lib/x86_64-linux-gnu/libccdm.a
	./usr/lib/x86_64-linux-gnu/libccdm.so
	./usr/lib/x86_64-linux-gnu/libccdm.so.0
	./usr/lib/x86_64-linux-gnu/pkgconfig/libccdm.pc
	./usr/sbin/ccdm-open
	./usr/share/bash-completion/completions/ccdm-open
	./usr/share/fish/vendor_completions.d/ccdm-open.fish
	./usr/share/man/man3/libccdm.3
	./usr/share/man/man8/ccdm-open.8
	./usr/share/zsh/vendor-completions/_ccdm-open
E
(cd "$tmp/open" && find . ! -type d | sort) >"$tmp/files"
check "those of ccdm-open and libccdm and no others" diff "$tmp/expected" "$tmp/files"
open=$tmp/open/usr/sbin/ccdm-open lib=$tmp/open/usr/lib/x86_64-linux-gnu
check_sh "ccdm-open is one static file below 1 MiB" "! ldd '$open' >/dev/null 2>&1 && [ \$(stat -c %s '$open') -lt 1048576 ]"
check_sh "ccdm-open --version" "[ \"\$('$open' --version)\" = 'ccdm-open $version' ]"
check_sh "libccdm.so needs libc alone" "[ \"\$(objdump -p '$lib/libccdm.so.0' | awk '\$1 == \"NEEDED\" { print \$2 }')\" = libc.so.6 ]"
check_sh "libccdm.so shows what ccdm.h declares, with versions" "diff <(sed -n 's/^[a-z].*[ *]\(ccdm_disk_[a-z_]*\)(.*/\1@@LIBCCDM_0.1/p' userspace/libccdm/ccdm.h | sort) <(nm -D --defined-only '$lib/libccdm.so.0' | awk '\$2 == \"T\" { print \$3 }' | sort)"
# a program of somebody else
user="cc -std=gnu11 -Wall -Wextra -Werror -o '$tmp/user' tests/program/libccdm/disk.c -I'$tmp/open/usr/include'"
check_sh "a program is built with libccdm.so" "$user -L'$lib' \$(PKG_CONFIG_PATH='$lib/pkgconfig' pkg-config --cflags --libs libccdm) && LD_LIBRARY_PATH='$lib' ldd '$tmp/user' | grep libccdm.so.0"
check_sh "and with libccdm.a" "$user '$lib/libccdm.a' && ! ldd '$tmp/user' | grep libccdm"
cp -a "$tmp/broker/usr" "$tmp/image/usr" "$tmp/open/usr" "$tmp/root/"	# all programs on one machine
image=$tmp/root/usr/bin/ccdm-image
setup=$tmp/root/usr/sbin/ccdm-setup
broker=$tmp/root/usr/sbin/ccdm-broker
ko=$tmp/root/usr/lib/modules/$release/updates/dm-ccdm.ko
check_sh "ccdm-setup --version" "[ \"\$('$setup' --version)\" = 'ccdm-setup $version' ]"
check_sh "module: version and licence" "[ \"\$(modinfo -F version '$ko') \$(modinfo -F license '$ko')\" = '$version GPL' ]"
cp -a "$tmp/root" "$tmp/root2"
check "make uninstall" make -s uninstall KDIR="$kdir" DESTDIR="$tmp/root2" PREFIX=/usr LIBDIR=/usr/lib/x86_64-linux-gnu
check_sh "nothing is left of it" "[ -z \"\$(find '$tmp/root2' ! -type d)\" ]"

# ---- man page
for man in "$tmp"/root/usr/share/man/man?/*; do
	check_sh "$(basename "$man"): renders without a warning" "[ -z \"\$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z '$man' 2>&1 >/dev/null)\" ]"
done
LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$man" 2>/dev/null | col -b | sed 's/\xe2\x80\x90/-/g' >"$tmp/man.txt"

# ---- the man page and a test cover each code of a failed boot
while read -r code; do
	check_sh "$code: the man page has it, and a test" "grep -q '^${code//-/\\\\-}|' Documentation/man/dracut.ccdm.7 && grep -rq '$code' tests/boot"
done < <(grep -oE 'CCDM-E-[A-Z]+-[0-9]+' userspace/setup/boot_stop.c)

check "each test that the threat model names is there" python3 tests/lib/claims.py

# ---- the service that removes secrets can do little else: systemd's own sum of its exposure
# (each setting has a weight; a service without any has 10). Threshold: 3.0
check "ccdm-monitor.service: an exposure of 3.0 at most" systemd-analyze security --offline=true \
	--threshold=30 --no-pager "$tmp/root/usr/lib/systemd/system/ccdm-monitor.service"

# ---- help, man page and completion list the same verbs and options
complete_with() { # complete_with WORD...: candidates that completion offers for the last word
	complete_of ccdm-setup "$@"
}
complete_of() { # complete_of PROGRAM WORD...
	PATH=$tmp/root/usr/sbin:$tmp/root/usr/bin:$PATH bash -c '. "$1/usr/share/bash-completion/completions/$2"
		COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2))
		"_${2//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' sh "$tmp/root" "$@" | sort
}
verbs=$("$setup" --help | sed -n 's/^  \([a-z]\+\) .*/\1/p')
sort <<<"$verbs" >"$tmp/help"
complete_with "" | grep -v '^-' >"$tmp/completion"
check "completion offers the verbs" diff "$tmp/help" "$tmp/completion"
for verb in $verbs; do
	"$setup" "$verb" --help | grep -oE -- ' --[a-z-]+' | tr -d ' ' | sort -u >"$tmp/help"
	complete_with "$verb" -- >"$tmp/completion"
	check "$verb: completion offers the options of --help" diff "$tmp/help" "$tmp/completion"
	check "$verb: the man page has a section for it" grep -qE "^ +$verb( |$)" "$tmp/man.txt"
	check_sh "$verb: which names its options" "for o in \$(grep -vE -- '--(help|version)' '$tmp/help'); do grep -q -e \"\$o\" '$tmp/man.txt' || { echo \"\$o\"; exit 1; }; done"
	refuse_code 1 "$verb: a wrong option is named" "--no-such-option is not an option" "$setup" "$verb" --no-such-option
done
printf '%s\n' aes-gcm aes-xts-gmac aes-xts-hmac-sha256 >"$tmp/help"
complete_with open --cipher "" >"$tmp/completion"
check "completion offers the suites" diff "$tmp/help" "$tmp/completion"
complete_with open --on-tamper = p >"$tmp/completion"
check "and words behind =" diff <(printf '%s\n' panic poweroff) "$tmp/completion"
complete_with open /dev/nul >"$tmp/completion"
check "and files" grep -qx /dev/null "$tmp/completion"
PATH=$tmp/root/usr/sbin:$PATH zsh -f -c 'compset() { return 1; }; _files() { print :file; }
	_describe() { print -l -- ${(@P)4%%:*}; }; words=(ccdm-setup open --cipher ""); CURRENT=4
	. $1/usr/share/zsh/vendor-completions/_ccdm-setup; words=(ccdm-setup open x); CURRENT=3; _ccdm_setup' sh "$tmp/root" |
	sort >"$tmp/completion"
check "zsh: the suites, and files" diff <(sort - "$tmp/help" <<<:file) "$tmp/completion"
PATH=$tmp/root/usr/sbin:$PATH HOME=$tmp fish --no-config -c 'source $argv[1]/usr/share/fish/vendor_completions.d/ccdm-setup.fish
	complete -C "ccdm-setup open --cipher "; complete -C "ccdm-setup open /dev/nul"' "$tmp/root" |
	cut -f1 | sort >"$tmp/completion"
check "fish: the same" diff <(sort - "$tmp/help" <<</dev/null) "$tmp/completion"
for program in ccdm-setup ccdm-broker ccdm-brokerd; do
	for shell in bash zsh fish; do
		check "$program: make install needs not run it for the completion of $shell" \
			diff <(scripts/completion $program $shell) <("$tmp/root/usr/sbin/$program" --completion $shell)
	done
done

check_sh "what cannot be printed is an error" "! '$setup' evidence >/dev/full 2>'$tmp/err' && grep -q 'standard output: No space' '$tmp/err'"

# ---- ccdm-image
LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$tmp/root/usr/share/man/man5/ccdm-workload.yaml.5" 2>/dev/null | col -b | sed 's/\xe2\x80\x90/-/g' >"$tmp/workload.txt"
for f in Documentation/workload/*.yaml; do
	check "$(basename "$f"): the man page has it" grep -q "$(basename "$f")" "$tmp/workload.txt"
done
check_sh "ccdm-image --version" "[ \"\$('$image' --version)\" = 'ccdm-image $version' ]"
LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$tmp/root/usr/share/man/man1/ccdm-image.1" 2>/dev/null | col -b | sed 's/\xe2\x80\x90/-/g' >"$tmp/image.txt"
"$image" --help | sed -n 's/^  \([a-z]\+\) .*/\1/p' | sort >"$tmp/verbs"
complete_of ccdm-image "" | grep -v '^-' >"$tmp/completion"
check "completion offers the verbs of ccdm-image" diff "$tmp/verbs" "$tmp/completion"
while read -r verb; do
	"$image" "$verb" --help | grep -oE -- ' --[a-z-]+' | tr -d ' ' | sort -u >"$tmp/help"
	complete_of ccdm-image "$verb" -- >"$tmp/completion"
	check "ccdm-image $verb: completion offers the options of --help" diff "$tmp/help" "$tmp/completion"
	check "ccdm-image $verb: the man page has a section for it" grep -qE "^ +$verb( |\$)" "$tmp/image.txt"
	check_sh "ccdm-image $verb: which names its options" "for o in \$(grep -vE -- '--(help|version)' '$tmp/help'); do grep -q -e \"\$o\" '$tmp/image.txt' || { echo \"\$o\"; exit 1; }; done"
done <"$tmp/verbs"
check_sh "ccdm-image needs no library of the guest" "! ldd '$image' | grep -E 'tss2-(esys|sys|rc|tcti)|devmapper|udev|kmod|curl'"

# ---- the broker's tool
check_sh "ccdm-broker --version" "[ \"\$('$broker' --version)\" = 'ccdm-broker $version' ]"
check_sh "ccdm-brokerd --version" "[ \"\$('${broker}d' --version)\" = 'ccdm-brokerd $version' ]"
mkdir "$tmp/etc"
sed "s,@,$tmp/etc," >"$tmp/brokerd.conf" <<-E
	[server]
	port = 0
	certificate = @/server.pem
	key = @/server.key
	[broker]
	state = @/state
	key_file = @/secrets.key
	token_key = @/token.key
	trust = @/trust
	admin = @/admin.sock
E
check "a new broker" "$broker" init --config "$tmp/brokerd.conf" --name localhost
check "its daemon finds all it needs" "${broker}d" --check --config "$tmp/brokerd.conf"
refuse_code 5 "a second one in its place" "a broker already exists" "$broker" init --config "$tmp/brokerd.conf" --name localhost
chmod 0640 "$tmp/etc/secrets.key"
refuse_code 2 "a key file that others can read" "other users can access the key" "${broker}d" --check --config "$tmp/brokerd.conf"
refuse_code 8 "no program listens" "check that ccdm-brokerd runs" "$broker" policy list --config "$tmp/brokerd.conf"
check_sh "policy check: the worked examples are good, and not odd" "[ -z \"\$('$broker' policy check Documentation/policy/*.yaml 2>&1 >'$tmp/out')\" ] && [ \$(grep -c ': valid' '$tmp/out') = \$(ls Documentation/policy/*.yaml | wc -l) ]"
LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$tmp/broker/usr/share/man/man5/ccdm-policy.5" 2>/dev/null | col -b | sed 's/\xe2\x80\x90/-/g' >"$tmp/policy.txt"
for f in Documentation/policy/*.yaml; do
	check "$(basename "$f"): the man page has it" grep -q "$(basename "$f")" "$tmp/policy.txt"
done
printf 'name: a\nsecrets: a/b/c\nrequire:\n  tee: sev\n' >"$tmp/bad.yaml"
refuse_code 1 "an invalid policy: the line and column" "bad.yaml:4:8: unknown value: sev" "$broker" policy check "$tmp/bad.yaml"
printf 'name: a\nsecrets: a/b/c\nrequire:\n  tee: snp\n  identity: any\n' >"$tmp/odd.yaml"
check_sh "what cannot be printed is an error, of the broker's tool, too" "! '$broker' policy check '$tmp/odd.yaml' >/dev/full 2>'$tmp/err' && grep -q 'standard output: No space' '$tmp/err'"
printf 'name: a\nsecrets: a/b/c\nrequire:\n  tee: snp\n' >"$tmp/open.yaml"
refuse_code 1 "one that pins no image is refused" "open.yaml: a: no condition pins the image" "$broker" policy check "$tmp/open.yaml"
complete_of ccdm-broker policy "" >"$tmp/completion"
check "completion offers policy check" grep -qx check "$tmp/completion"
complete_of ccdm-broker "" | grep -v '^-' >"$tmp/completion"
"$broker" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u >"$tmp/help"
check "completion offers the verbs of ccdm-broker" diff "$tmp/help" "$tmp/completion"
while read -r verb; do
	# shellcheck disable=SC2086
	"$broker" $verb --help | grep -oE -- ' --[a-z-]+' | tr -d ' ' | sort -u >"$tmp/options"
	# shellcheck disable=SC2086
	complete_of ccdm-broker $verb -- >"$tmp/completion"
	check "$verb: --help and completion name the same options" diff "$tmp/options" "$tmp/completion"
	check "$verb: --help is of this verb" grep -q "^usage: ccdm-broker $verb " <("$broker" $verb --help)
done < <("$broker" --help | sed -nE 's/^  ([a-z][a-z-]*( [a-z]+)?) .*/\1/p')
LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$tmp/broker/usr/share/man/man8/ccdm-broker.8" 2>/dev/null | col -b | sed 's/\xe2\x80\x90/-/g' >"$tmp/broker.txt"
check_sh "the man page has a section for each" "while read -r v; do grep -qE \"^ +\$v( |\$)\" '$tmp/broker.txt' || { echo \"\$v\"; exit 1; }; done <'$tmp/help'"
"${broker}d" --help | grep -oE -- ' --[a-z-]+' | tr -d ' ' | sort -u >"$tmp/options"
complete_of ccdm-brokerd -- >"$tmp/completion"
check "ccdm-brokerd: --help and completion name the same options" diff "$tmp/options" "$tmp/completion"
LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$tmp/broker/usr/share/man/man8/ccdm-brokerd.8" 2>/dev/null | col -b | sed 's/\xe2\x80\x90/-/g' >"$tmp/brokerd.txt"
check_sh "and the man page" "while read -r o; do grep -q -e \"\$o\" '$tmp/brokerd.txt' || { echo \"\$o\"; exit 1; }; done <'$tmp/options'"

# ---- DKMS: build and sign in a separate tree
mkdir -p "$tmp/dkms"
check "make install-dkms" make -s install-dkms DESTDIR="$tmp/sources"
dkms_() { dkms "$@" --sourcetree "$tmp/sources/usr/src" --dkmstree "$tmp/dkms" -m ccdm -v "$version"; }
check_sh "dkms add, without a warning" "[ -z \"\$(dkms add --sourcetree '$tmp/sources/usr/src' --dkmstree '$tmp/dkms' -m ccdm -v '$version' 2>&1 | grep -i -e warning -e deprecated)\" ] && ls '$tmp/dkms/ccdm/$version/source/dkms.conf'"
check "dkms build" dkms_ build -k "$release"
ko=$(find "$tmp/dkms" -name 'dm-ccdm.ko*' | head -n1)
check_sh "DKMS builds this version" "[ \"\$(modinfo -F version '$ko')\" = $version ]"
check_sh "and signs it, for Secure Boot" "[ -n \"\$(modinfo -F sig_key '$ko')\" ]"
check "dkms remove" dkms_ remove --all
check_sh "dkms.conf: kernels from 6.1" ". '$tmp/sources/usr/src/ccdm-$version/dkms.conf'
	for k in 6.1.0-32-amd64 6.12.5 7.2.13+deb14-amd64 10.0.0; do [[ \$k =~ \$BUILD_EXCLUSIVE_KERNEL ]] || exit 1; done
	for k in 5.10.0-30-amd64 6.0.12 4.19.0; do [[ ! \$k =~ \$BUILD_EXCLUSIVE_KERNEL ]] || exit 1; done"
check_sh "dkms.conf: x86-64 and arm64" ". '$tmp/sources/usr/src/ccdm-$version/dkms.conf'
	for a in x86_64 aarch64; do [[ \$a =~ \$BUILD_EXCLUSIVE_ARCH ]] || exit 1; done
	for a in i686 aarch64_be armv7l riscv64; do [[ ! \$a =~ \$BUILD_EXCLUSIVE_ARCH ]] || exit 1; done"

# ---- the tarball is reproducible, and builds without git, root, network and package manager
rev=$(git stash create)
dist() { make -s dist REV="${rev:-HEAD}" BUILD="$tmp/$1" >/dev/null; }
check_sh "make dist, twice" "$(declare -f dist); rev=$rev tmp='$tmp'; (umask 077; TZ=Asia/Tokyo dist a) && dist b && cmp '$tmp/a/ccdm-$version.tar.gz' '$tmp/b/ccdm-$version.tar.gz'"
mkdir "$tmp/fake" "$tmp/called"
for c in apt apt-get apt-cache dpkg dpkg-query dnf git sudo su; do
	printf '#!/bin/sh\n: >"%s/called/%s"\nexit 99\n' "$tmp" "$c" >"$tmp/fake/$c"
done
chmod 0755 "$tmp" "$tmp"/fake/*
tar -C "$tmp" --no-same-owner -xf "$tmp/a/ccdm-$version.tar.gz"
chown -R 65534:65534 "$tmp/ccdm-$version" "$tmp/called"
apart() { unshare -n setpriv --reuid=65534 --regid=65534 --clear-groups env "PATH=$tmp/fake:$PATH" make -s -C "$tmp/ccdm-$version" "$@"; }
check "make programs" apart programs KDIR=
check_sh "calls none of them" "[ -z \"\$(ls '$tmp/called')\" ]"
check_sh "these programs are of this version" "[ \"\$('$tmp/ccdm-$version/build/bin/ccdm-setup' --version)\" = 'ccdm-setup $version' ]"
refuse_code 2 "make modules without headers names their package" "linux-headers-amd64" apart modules KDIR="$tmp/none"
refuse_code 2 "make programs without libraries names theirs" "the library jansson: not found; the package is libjansson-dev" apart programs BUILD=other PKG_CONFIG_LIBDIR="$tmp/none" PKG_CONFIG_PATH=
check_sh "neither calls any of them" "[ -z \"\$(ls '$tmp/called')\" ]"

# ---- another compiler and other flags
for cc in cc1 cc2; do
	printf '#!/bin/sh\ncase " $* " in *" -c "*) echo >>"%s/compiled" ;; esac\nexec cc "$@"\n' "$tmp" >"$tmp/$cc"
	chmod 0755 "$tmp/$cc"
done
compiled() { # compiled TIMES WORD...: how often make has compiled the object so far
	make -s BUILD="$tmp/flags" "${@:2}" "$tmp/flags/userspace/lib/base/err.o" >/dev/null && [ "$(wc -l <"$tmp/compiled")" = "$1" ]
}
check "an object is compiled" compiled 1 CC="$tmp/cc1"
check "and not again" compiled 1 CC="$tmp/cc1"
check "but by another compiler" compiled 2 CC="$tmp/cc2"
check "and with other flags" compiled 3 CC="$tmp/cc2" CFLAGS=-O1

# ---- the Debian mirror: of both formats of apt's sources, or of CCDM_MIRROR
mkdir -p "$tmp/apt/parts" "$tmp/apt/lists/partial"
mirror() { # mirror LIST PARTS
	printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "%s";\nDir::State::lists "%s";\n' "$1" "$2" "$tmp/apt/lists" >"$tmp/apt/conf"
	env -u CCDM_MIRROR APT_CONFIG="$tmp/apt/conf" scripts/mirror
}
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
cat >"$tmp/apt/list" <<-E
	deb https://other.example/linux/debian $codename stable
	deb http://security.example/debian-security $codename-security main
	deb [arch=amd64] http://list.example/debian/ $codename main contrib
E
printf 'Types: deb\nURIs: https://deb822.example/debian\nSuites: %s %s-updates\nComponents: main\n' "$codename" "$codename" >"$tmp/apt/parts/debian.sources"
check_sh "mirror: of sources.list" "[ '$(mirror "$tmp/apt/list" /dev/null)' = http://list.example/debian ]"
check_sh "mirror: of deb822 sources" "[ '$(mirror /dev/null "$tmp/apt/parts")' = https://deb822.example/debian ]"
refuse_code 1 "mirror: none" "set CCDM_MIRROR" mirror /dev/null /dev/null
check_sh "mirror: CCDM_MIRROR wins" "[ \"\$(CCDM_MIRROR=http://mine.example scripts/mirror)\" = http://mine.example ]"
check_sh "scripts and tests name no host of Debian" "! git grep -n 'deb[.]debian[.]org' -- scripts tests Makefile .ci"

# ---- commit messages
message() { printf '%b' "$1" >"$tmp/message"; scripts/commit-msg "$tmp/message"; }
check "commit-msg: area and summary" message 'kmod: refuse a short key\n\nWhy.\n'
check "commit-msg: a fixup of one" message 'fixup! kmod: refuse a short key\n'
refuse_code 1 "commit-msg: no area" "expected 'area: imperative summary', found 'Fix it'" message 'Fix it\n'
refuse_code 1 "commit-msg: two ideas" "found ';'" message 'kmod: fix a; fix b\n'
refuse_code 1 "commit-msg: no imperative" "expected an imperative" message 'kmod: fixes a\n'
refuse_code 1 "commit-msg: too long" "at most 72 characters, found 80" message "kmod: $(printf %074d 0)\n"
refuse_code 1 "commit-msg: no empty line" "line 2" message 'kmod: fix a\nbody\n'

finish
