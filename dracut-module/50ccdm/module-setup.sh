#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# A root that its host can neither read, nor change, nor roll back: see dracut.ccdm(7)

check() {
	require_binaries ccdm-setup || return 1
	# without a configuration, the module is included only on request; then this is an error
	[[ -e ${dracutsysrootdir-}/etc/ccdm/ccdm.conf ]] || return 255
	return 0
}

depends() {
	echo systemd-initrd dm
}

installkernel() {
	local m
	# modules below the root; udev's coldplug loads the CPU's own cipher and hash drivers
	hostonly='' instmods dm-verity xts gcm ctr ghash-generic hmac sha256 sha512 \
		'=arch/x86/crypto' '=drivers/char/tpm' '=drivers/virt/coco'
	if ccdm-setup config attest /etc/ccdm/ccdm.conf 2>/dev/null; then
		# drivers of clouds; --add-drivers adds others
		hostonly='' instmods af_packet virtio_net gve ena mana hv_netvsc vmxnet3 e1000 e1000e igbvf ixgbevf iavf mlx5_core
	fi
	for m in dm-ccdm dm-verity; do
		hostonly='' instmods -c $m || {
			dfatal "ccdm: found no module $m for kernel $kernel; see \"dkms status\""
			exit 1
		}
	done
}

# networkd with ccdm's configuration only, and the libraries for the connection to the broker
install_attest() {
	local unit=/usr/lib/systemd/system name
	inst_multiple /usr/lib/systemd/systemd-networkd $unit/systemd-networkd.service || {
		dfatal "ccdm: [attest] needs systemd-networkd in the initrd, but it is not installed"
		exit 1
	}
	inst_multiple -o $unit/systemd-networkd.socket $unit/network.target $unit/network-pre.target \
		/usr/lib/sysusers.d/systemd-network.conf
	inst_simple "$moddir/ccdm.network" /etc/systemd/network/10-ccdm.network
	inst_simple "$moddir/ccdm-networkd.conf" $unit/systemd-networkd.service.d/50-ccdm.conf
	for name in passwd group; do
		grep -qs '^systemd-network:' "$initdir/etc/$name" ||
			grep '^systemd-network:' "${dracutsysrootdir-}/etc/$name" >>"$initdir/etc/$name"
	done
	# ccdm-setup loads it when it attests, but dracut finds only libraries that are linked
	name=$(ldconfig -p | sed -n 's/.*libcurl\.so\.4 .* => //p' | head -n1)
	[[ $name ]] || {
		dfatal "ccdm: [attest] needs libcurl.so.4; install libcurl4"
		exit 1
	}
	for name in $name $(ldd "$name" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p'); do inst_multiple "$name"; done
}

install() {
	local conf=/etc/ccdm/ccdm.conf unit name file attest=
	ccdm-setup config check $conf >/dev/null || {
		dfatal "ccdm: $conf is not valid: this initrd would not boot"
		exit 1
	}
	inst_simple $conf
	for file in $(ccdm-setup config files $conf); do inst_simple "$file"; done

	inst_binary "$(command -v ccdm-setup)" /usr/sbin/ccdm-setup
	inst_multiple -o /usr/lib/systemd/systemd-growfs
	inst_simple "$moddir/99-zz-ccdm.rules" /etc/udev/rules.d/99-zz-ccdm.rules
	inst_script "$moddir/ccdm-generator" /usr/lib/systemd/system-generators/ccdm-generator
	# install this first: dracut keeps an existing file, so other modules do not replace it
	inst_script "$moddir/sulogin" /usr/sbin/sulogin

	ccdm-setup config attest $conf && install_attest && attest=attest
	for unit in measure base root grow system $attest cap; do
		inst_simple "$moddir/ccdm-$unit.service" "/usr/lib/systemd/system/ccdm-$unit.service"
		mkdir -p "$initdir/usr/lib/systemd/system/initrd.target.requires"
		ln -sf "../ccdm-$unit.service" "$initdir/usr/lib/systemd/system/initrd.target.requires/"
	done
	inst_simple "$moddir/ccdm-failed@.service" /usr/lib/systemd/system/ccdm-failed@.service
	inst_simple "$moddir/ccdm-limit.timer" /usr/lib/systemd/system/ccdm-limit.timer
	ln -sf ../ccdm-limit.timer "$initdir/usr/lib/systemd/system/initrd.target.requires/"

	# the volumes of /etc/ccdmtab that the initrd opens
	if [[ -e ${dracutsysrootdir-}/etc/ccdmtab ]] && grep -q x-initrd.attach "${dracutsysrootdir-}/etc/ccdmtab"; then
		inst_simple /etc/ccdmtab
		inst_simple /usr/lib/systemd/system/ccdm-attach@.service
		inst_script /usr/lib/systemd/system-generators/ccdm-tab-generator
		inst_multiple -o mkfs.ext4 mkfs.xfs mkswap
	fi

	# files in /etc take precedence over those of other modules
	mkdir -p "$initdir/etc/systemd/system" "$initdir/etc/systemd/system-generators"
	for name in emergency rescue dracut-emergency debug-shell; do
		rm -f "$initdir/etc/systemd/system/$name.service"
		cp "$moddir/ccdm-shell.service" "$initdir/etc/systemd/system/$name.service"
	done
	for name in debug factory-reset gpt-auto hibernate-resume run ssh system-update; do
		ln -sfn /dev/null "$initdir/etc/systemd/system-generators/systemd-$name-generator"
	done
	# systemd 258 and later: that generator starts the target named in a firmware variable
	ln -sfn /dev/null "$initdir/etc/systemd/system/factory-reset-now.target"
	# do not report a kernel crash to the firmware, which belongs to the host
	mkdir -p "$initdir/etc/modprobe.d"
	printf 'blacklist efi_pstore\ninstall efi_pstore /bin/false\n' >"$initdir/etc/modprobe.d/99-zz-ccdm.conf"
}
