# SPDX-License-Identifier: Apache-2.0
# make help lists what there is to do.

# "make vm SHELL=1" asks for a shell in the VM, not for another shell of make's.
WANT_SHELL := $(if $(filter command%,$(origin SHELL)),1)
override SHELL := /bin/sh

VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
UDEVDIR ?= /usr/lib/udev/rules.d
DRACUTDIR ?= /usr/lib/dracut
UNITDIR ?= /usr/lib/systemd/system
GENERATORDIR ?= /usr/lib/systemd/system-generators
SYSUSERSDIR ?= /usr/lib/sysusers.d
MAN := $(wildcard Documentation/man/*.[0-9])
BROKER_MAN := $(wildcard Documentation/man/ccdm-broker.* Documentation/man/ccdm-brokerd.* Documentation/man/ccdm-policy.*)
SETUP_MAN := $(filter-out $(BROKER_MAN),$(MAN))
DRACUT := $(wildcard dracut-module/50ccdm/*)
BUILD := build

# Headers of the running kernel, or the newest that are installed.
KDIR ?= $(or $(wildcard /lib/modules/$(shell uname -r)/build),\
	$(lastword $(shell ls -d /usr/src/linux-headers-*-amd64 2>/dev/null | sort -V)))
BENCH_KERNEL := $(if $(filter command% environment%,$(origin KERNEL)),$(KERNEL),6.12)
# Kernel of the tests: by version or by Debian's suite.
KERNEL ?= 6.1
# Debian of the boots.
SUITE ?= trixie
override KERNEL := $(patsubst bookworm,6.1,$(patsubst trixie,6.12,$(patsubst sid,7.2,$(KERNEL))))

CFLAGS ?= -O2 -g
CFLAGS += -std=gnu11 -Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS += -D_GNU_SOURCE -DCCDM_VERSION='"$(VERSION)"' -Ikmod
LDFLAGS += -pie -Wl,-z,relro,-z,now
SETUP_PKGS := devmapper libkmod libnl-3.0 libnl-genl-3.0 blkid jansson libudev libcrypto tss2-esys tss2-mu tss2-rc \
	tss2-tcti-device
BROKER_PKGS := jansson libcrypto sqlite3 tss2-mu yaml-0.1
BROKERD_PKGS := $(BROKER_PKGS) libevent_openssl libevent libssl
BROKERD_ONLY := $(addprefix userspace/broker/,adminsock.c brokerd.c server.c)
BROKER_SRC := $(filter-out $(BROKERD_ONLY),$(wildcard userspace/broker/*.c)) $(addprefix userspace/lib/,azure.c base64.c bootlog.c collateral.c digest.c \
	enclave_id.c eventlog.c evidence.c facts.c file.c ini.c jcs.c jwe.c jws.c kbs.c known_events.c launches.c manifest.c member.c pubkey.c snp.c snp_json.c tcglog.c tdx.c tpm_activation.c tpm_json.c \
	tpm_quote.c ui.c verdict.c x509.c)
BROKER_OBJ := $(BROKER_SRC:%.c=$(BUILD)/%.o)
BROKER_ONLY := userspace/broker/main.c userspace/broker/client.c userspace/broker/issue.c $(wildcard userspace/broker/cmd_*.c)
BROKERD_SRC := $(filter-out $(BROKER_ONLY),$(BROKER_SRC)) $(BROKERD_ONLY)
BROKERD_OBJ := $(BROKERD_SRC:%.c=$(BUILD)/%.o)
SETUP_SRC := $(wildcard userspace/setup/*.c userspace/lib/*.c)
SETUP_OBJ := $(SETUP_SRC:%.c=$(BUILD)/%.o)

.PHONY: all attacks help modules programs test-programs install install-broker uninstall clean check check-all check-setup coverage kmod mutants soak vm-setup demo demo-boot demo-disk bench bench-compare bench-record bench-locks bench-boot lint vm boot unit fuzz faults setup

all: modules programs

help:
	@echo 'make                     dm-ccdm.ko (KDIR=$(KDIR)) and ccdm-setup'
	@echo 'make install             both, man page, completion, udev rules (PREFIX, DESTDIR)'
	@echo 'make install-broker      ccdm-brokerd and ccdm-broker, for the machine that hands out secrets'
	@echo 'make uninstall'
	@echo 'make demo                a Debian proves what it is, gets its secret, and halts when its host cheats'
	@echo '                         (root; SUITE=trixie)'
	@echo 'make demo-boot           the same without a broker'
	@echo 'make demo-disk           the disk alone'
	@echo 'make check               all tests in short form (root; KERNEL=6.1, 6.12 or 7.2; DEBUG=1: on the debug kernel)'
	@echo 'make check-all           every kernel, long forms; goes on where it stopped'
	@echo 'make unit                the unit tests alone'
	@echo 'make attacks             a broker, and guests that lie to it with genuine signatures'
	@echo 'make fuzz                the parsers of what is not ours (SECONDS=10 each)'
	@echo 'make faults              the programs, with each of their calls failing once (EVERY=4: each fourth)'
	@echo 'make kmod                the module'"'"'s tree, cache and I/O path in a program, beside an oracle (RUNS=400 of each kind)'
	@echo 'make soak HOURS=2        all of it at once, and a host that strikes; goes on where it stopped'
	@echo 'make coverage            which lines and branches the tests reach (a kernel that counts is built first)'
	@echo 'make mutants             break the code line by line: a test must see each (MUTANT=name)'
	@echo 'make vm TEST=10-life     one test; SHELL=1 a shell in the VM; KERNEL=, DEBUG=1'
	@echo 'make boot TEST=10-boots  one test of the boot (SUITE=bookworm, trixie, sid, debug; ALL=1)'
	@echo 'make bench               instructions per I/O beside dm-crypt and LUKS2 (KERNEL=6.12)'
	@echo 'make bench-compare       the same, beside what is recorded in Documentation/bench'
	@echo 'make bench-record        writes what is there: text, JSON, a plot'
	@echo 'make bench-locks         who waits for which lock, on several CPUs (debug kernel)'
	@echo 'make bench-boot          what a boot costs beside dm-verity and LUKS2 (SUITE=trixie)'
	@echo 'make lint                static checks'
	@echo 'make clean'

setup:
	@scripts/setup build

modules: setup
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

programs: setup $(BUILD)/bin/ccdm-setup $(BUILD)/bin/ccdm-broker $(BUILD)/bin/ccdm-brokerd

$(BUILD)/%.o: %.c VERSION
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) $$(pkg-config --cflags $(SETUP_PKGS) $(BROKERD_PKGS)) -MMD -c -o $@ $<

$(BUILD)/bin/ccdm-setup: $(SETUP_OBJ)
	@mkdir -p $(@D)
	@echo '  LD      $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs $(SETUP_PKGS))

$(BUILD)/bin/ccdm-broker: $(BROKER_OBJ)
	@mkdir -p $(@D)
	@echo '  LD      $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs $(BROKER_PKGS))

$(BUILD)/bin/ccdm-brokerd: $(BROKERD_OBJ)
	@mkdir -p $(@D)
	@echo '  LD      $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs $(BROKERD_PKGS))

$(BUILD)/tests/%: tests/lib/%.c
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpthread

$(BUILD)/tests/load: tests/broker/load.c tests/unit/forge_tpm.h tests/unit/forge_tpm_json.h tests/unit/pki.h \
	$(addprefix userspace/lib/,base64.c digest.c http.c jcs.c jwe.c jws.c kbs.c pubkey.c session.c ui.c)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) -std=gnu11 -g -O2 -Wall -Wextra $$(pkg-config --cflags $(SETUP_PKGS)) -o $@ $(filter %.c,$^) \
		$$(pkg-config --libs jansson libcrypto)

# all that judges evidence
FORGE_SRC := $(filter userspace/lib/%,$(BROKER_SRC))

$(BUILD)/tests/attack-guest: tests/attacks/guest.c tests/attacks/forge.h tests/unit/forge_snp.h tests/unit/forge_tdx.h tests/unit/forge_tpm.h \
	tests/unit/pki.h $(FORGE_SRC)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) -std=gnu11 -g -O1 -Wall -Wextra $$(pkg-config --cflags $(SETUP_PKGS)) -o $@ $(filter %.c,$^) \
		$$(pkg-config --libs jansson libcrypto tss2-mu)

$(BUILD)/tests/attack-mutations: tests/attacks/mutations.c tests/attacks/forge.h tests/unit/forge_snp.h tests/unit/forge_tdx.h tests/unit/forge_tpm.h \
	tests/unit/pki.h userspace/broker/trust.c $(FORGE_SRC)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) -std=gnu11 -g -O1 -Wall -Wextra $$(pkg-config --cflags $(SETUP_PKGS)) -o $@ $(filter %.c,$^) \
		$$(pkg-config --libs jansson libcrypto tss2-mu)

$(BUILD)/tests/signer: tests/sim/signer.c tests/unit/forge_snp.h tests/unit/forge_tdx.h tests/unit/pki.h \
	$(addprefix userspace/lib/,digest.c ui.c)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) -std=gnu11 -g -O2 -Wall -Wextra -o $@ $(filter %.c,$^) $$(pkg-config --libs jansson libcrypto)

# for clangd and clang-tidy
compile_commands.json: Makefile
	@python3 -c 'import json, sys; d, src, *flags = sys.argv[1:]; print(json.dumps([{"directory": d, \
		"file": f, "arguments": ["cc", *flags, "-c", f]} for f in src.split()], indent=1))' \
		$(CURDIR) '$(sort $(SETUP_SRC) $(BROKER_SRC) $(BROKERD_SRC))' $(CPPFLAGS) $(CFLAGS) $$(pkg-config --cflags $(SETUP_PKGS)) >$@

test-programs: programs $(BUILD)/tests/attack-guest $(BUILD)/tests/attack-mutations $(BUILD)/tests/keyfind $(BUILD)/tests/odd $(BUILD)/tests/bounce $(BUILD)/tests/load $(BUILD)/tests/signer

# ---- unit tests, with the sanitizers ----

UNIT_CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -fsanitize=address,undefined \
	-fno-sanitize-recover=all
UNIT := $(addprefix $(BUILD)/unit/test_,file format suite ui activation broker chip config eventlog evidence jose kbs measure messages policy session snp tab tcglog tdx tpm x509)

$(BUILD)/unit/test_file: tests/unit/test_file.c $(addprefix userspace/lib/,digest.c eventlog.c file.c find.c member.c base64.c ui.c)
$(BUILD)/unit/test_format: tests/unit/test_format.c kmod/tree.c kmod/tree.h kmod/ccdm_format.h
$(BUILD)/unit/test_suite: tests/unit/test_suite.c tests/unit/suite_openssl.h tests/kat/vectors.h
$(BUILD)/unit/test_ui: tests/unit/test_ui.c userspace/lib/ui.c userspace/lib/dm.c
$(BUILD)/unit/test_config: tests/unit/test_config.c $(addprefix userspace/lib/,base64.c config.c digest.c fence.c file.c \
	host.c ini.c jcs.c jwe.c jws.c kbs.c pubkey.c ui.c)
$(BUILD)/unit/test_eventlog: tests/unit/test_eventlog.c $(addprefix userspace/lib/,digest.c eventlog.c file.c ui.c)
$(BUILD)/unit/test_evidence: tests/unit/test_evidence.c tests/unit/pki.h tests/unit/forge_tpm.h tests/unit/forge_tpm_json.h tests/unit/provider.h $(wildcard userspace/lib/*.c)
$(BUILD)/unit/test_broker: tests/unit/test_broker.c tests/unit/guest.h tests/unit/pki.h tests/unit/forge_tpm.h tests/unit/forge_tpm_json.h tests/unit/provider.h \
	$(filter-out $(BROKER_ONLY),$(BROKER_SRC))
$(BUILD)/unit/test_activation: tests/unit/test_activation.c tests/unit/pki.h tests/unit/forge_snp.h tests/unit/forge_tpm.h tests/unit/forge_tpm_json.h \
	tests/unit/provider.h $(filter-out $(BROKER_ONLY),$(BROKER_SRC))
$(BUILD)/unit/test_chip: tests/unit/test_chip.c tests/unit/chip.h tests/unit/chip_tcti.h tests/unit/chip_questions.h tests/unit/seed.h $(wildcard userspace/lib/*.c)
$(BUILD)/unit/test_chip: UNIT_LDFLAGS := -Wl,--wrap=Tss2_Tcti_Device_Init
$(BUILD)/unit/test_messages: tests/unit/test_messages.c tests/unit/guest.h tests/unit/pki.h tests/unit/forge_snp.h tests/unit/forge_tpm.h \
	tests/unit/forge_tpm_json.h tests/unit/provider.h $(filter-out $(BROKER_ONLY),$(BROKER_SRC))
$(BUILD)/unit/test_measure: tests/unit/test_measure.c $(wildcard userspace/lib/*.c)
$(BUILD)/unit/test_snp: tests/unit/test_snp.c tests/unit/pki.h tests/unit/forge_snp.h $(addprefix userspace/lib/,base64.c digest.c member.c pubkey.c snp.c snp_json.c ui.c \
	verdict.c x509.c)
$(BUILD)/unit/test_tcglog: tests/unit/test_tcglog.c $(addprefix userspace/lib/,digest.c tcglog.c ui.c)
$(BUILD)/unit/test_tpm: tests/unit/test_tpm.c tests/unit/pki.h tests/unit/forge_snp.h tests/unit/forge_tpm.h $(addprefix userspace/lib/,azure.c base64.c collateral.c digest.c \
	member.c pubkey.c snp.c tdx.c tpm_json.c tpm_quote.c ui.c verdict.c x509.c)
$(BUILD)/unit/test_jose: tests/unit/test_jose.c $(addprefix userspace/lib/,base64.c digest.c jcs.c jwe.c pubkey.c ui.c)
$(BUILD)/unit/test_kbs: tests/unit/test_kbs.c $(addprefix userspace/lib/,base64.c digest.c jcs.c jwe.c jws.c pubkey.c kbs.c ui.c)
$(BUILD)/unit/test_policy: tests/unit/test_policy.c $(addprefix userspace/broker/,judge.c policy.c policy_identity.c policy_yaml.c) \
	$(addprefix userspace/lib/,base64.c digest.c file.c jcs.c jwe.c jws.c kbs.c pubkey.c ui.c)
$(BUILD)/unit/test_x509: tests/unit/test_x509.c tests/unit/pki.h $(addprefix userspace/lib/,digest.c pubkey.c ui.c verdict.c x509.c)
$(BUILD)/unit/test_tdx: tests/unit/test_tdx.c tests/unit/pki.h tests/unit/forge_tdx.h $(addprefix userspace/lib/,collateral.c digest.c pubkey.c tdx.c ui.c \
	verdict.c x509.c)
$(BUILD)/unit/test_session: tests/unit/test_session.c tests/unit/pki.h tests/unit/forge_tpm.h tests/unit/forge_tpm_json.h tests/unit/provider.h \
	userspace/broker/server.c userspace/broker/issue.c userspace/lib/http.c userspace/lib/session.c \
	$(filter-out $(BROKER_ONLY),$(BROKER_SRC))
$(BUILD)/unit/test_tab: tests/unit/test_tab.c $(wildcard userspace/lib/*.c)

$(BUILD)/unit/%:
	@mkdir -p $(@D)
	@echo '  UNIT    $@'
	@$(CC) $(CPPFLAGS) $(UNIT_CFLAGS) $$(pkg-config --cflags $(SETUP_PKGS) $(BROKERD_PKGS)) -o $@ $(filter %.c,$^) $(UNIT_LDFLAGS) -lcmocka \
		$$(pkg-config --libs $(SETUP_PKGS) $(BROKERD_PKGS))

unit: $(UNIT)
	@for t in $(UNIT); do echo "# $$t"; $$t || exit 1; done

SECONDS ?= 10
fuzz: check-setup
	@tests/fuzz/run --seconds $(SECONDS)

attacks: check-setup test-programs
	@tests/attacks/run $(ATTACK)

EVERY ?= 1
faults: check-setup
	@tests/faults/run --every $(EVERY)

-include $(SETUP_OBJ:.o=.d) $(BROKER_OBJ:.o=.d) $(BROKERD_OBJ:.o=.d)

# ---- tests in VMs ----

check: check-setup
	@scripts/check $(if $(DEBUG),debug,$(KERNEL))

check-all: check-setup
	@scripts/check --all

check-setup:
	@scripts/setup check

RUNS ?= 400
kmod: check-setup
	@tests/kmod/run --runs $(RUNS)

mutants: check-setup
	@tests/mutants/run $(MUTANT)

coverage: check-setup vm-setup
	@scripts/setup debug
	@tests/coverage/run $(TEST)

HOURS ?= 1
soak: vm-setup test-programs
	@tests/soak/run --hours $(HOURS)

vm-setup:
	@scripts/setup test

vm: vm-setup test-programs
	@tests/run --kernel $(if $(DEBUG),debug,$(KERNEL)) $(if $(WANT_SHELL),--shell) $(TEST)

boot: vm-setup test-programs
	@tests/run --boot $(SUITE) $(if $(ALL),--all) $(TEST)

bench: vm-setup test-programs
	@tests/bench/run --kernel $(BENCH_KERNEL)

bench-compare: vm-setup test-programs
	@tests/bench/run --kernel $(BENCH_KERNEL) --compare

bench-record: test-programs
	@scripts/setup bench
	@tests/bench/run --kernel $(BENCH_KERNEL) --record
	@tests/bench/run --kernel $(BENCH_KERNEL) --record --short

bench-locks: vm-setup test-programs
	@tests/bench/locks

bench-boot: vm-setup
	@tests/bench/boot --suite $(SUITE)

lint:
	@scripts/setup lint
	@scripts/lint

demo: vm-setup test-programs
	@SUITE=$(SUITE) scripts/demo

demo-boot: vm-setup
	@SUITE=$(SUITE) scripts/demo-boot

demo-disk: vm-setup test-programs
	@scripts/demo-disk

install: all
	install -D -m 0755 $(BUILD)/bin/ccdm-setup $(DESTDIR)$(SBINDIR)/ccdm-setup
	$(foreach m,$(SETUP_MAN),install -D -m 0644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	install -D -m 0644 userspace/setup/ccdm-setup.bash $(DESTDIR)$(COMPDIR)/ccdm-setup
	install -d $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm
	install -m 0644 $(filter-out %.sh %/ccdm-generator %/sulogin,$(DRACUT)) $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm/
	install -m 0755 $(filter %.sh %/ccdm-generator %/sulogin,$(DRACUT)) $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm/
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(GENERATORDIR)
	sed 's,@SBINDIR@,$(SBINDIR),' dracut-module/ccdm-attach@.service >$(DESTDIR)$(UNITDIR)/ccdm-attach@.service
	sed 's,@SBINDIR@,$(SBINDIR),' userspace/setup/ccdm-monitor.service >$(DESTDIR)$(UNITDIR)/ccdm-monitor.service
	sed 's,@SBINDIR@,$(SBINDIR),' dracut-module/ccdm-tab-generator >$(DESTDIR)$(GENERATORDIR)/ccdm-tab-generator
	chmod 0755 $(DESTDIR)$(GENERATORDIR)/ccdm-tab-generator
	install -D -m 0644 dracut-module/50-ccdm.conf $(DESTDIR)$(DRACUTDIR)/dracut.conf.d/50-ccdm.conf
	install -D -m 0644 userspace/setup/95-dm-ccdm.rules $(DESTDIR)$(UDEVDIR)/95-dm-ccdm.rules
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(DESTDIR),INSTALL_MOD_PATH=$(abspath $(DESTDIR))) \
		INSTALL_MOD_DIR=updates $(if $(DESTDIR),DEPMOD=true) modules_install

install-broker: programs
	install -D -m 0755 $(BUILD)/bin/ccdm-broker $(DESTDIR)$(SBINDIR)/ccdm-broker
	$(foreach m,$(BROKER_MAN),install -D -m 0644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	install -D -m 0644 userspace/broker/ccdm-broker.bash $(DESTDIR)$(COMPDIR)/ccdm-broker
	install -D -m 0755 $(BUILD)/bin/ccdm-brokerd $(DESTDIR)$(SBINDIR)/ccdm-brokerd
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	sed 's,@SBINDIR@,$(SBINDIR),' userspace/broker/ccdm-brokerd.service >$(DESTDIR)$(UNITDIR)/ccdm-brokerd.service
	install -m 0644 userspace/broker/ccdm-broker.sysusers $(DESTDIR)$(SYSUSERSDIR)/ccdm-broker.conf

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/ccdm-setup $(DESTDIR)$(SBINDIR)/ccdm-broker $(DESTDIR)$(SBINDIR)/ccdm-brokerd $(foreach m,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
		$(DESTDIR)$(UNITDIR)/ccdm-attach@.service $(DESTDIR)$(UNITDIR)/ccdm-monitor.service $(DESTDIR)$(GENERATORDIR)/ccdm-tab-generator \
		$(DESTDIR)$(COMPDIR)/ccdm-setup $(DESTDIR)$(COMPDIR)/ccdm-broker \
		$(DESTDIR)$(UNITDIR)/ccdm-brokerd.service $(DESTDIR)$(SYSUSERSDIR)/ccdm-broker.conf \
		$(DESTDIR)$(UDEVDIR)/95-dm-ccdm.rules \
		$(DESTDIR)$(DRACUTDIR)/dracut.conf.d/50-ccdm.conf
	rm -rf $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm
	rm -f $(DESTDIR)/lib/modules/$$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)/updates/dm-ccdm.ko*

clean:
	rm -rf $(BUILD)
	find . -name '*.o' -delete
	rm -rf *.ko *.mod *.mod.c .*.cmd Module.symvers modules.order kmod/.*.cmd .tmp_versions
