# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
# make help lists what there is to do.

# "make vm SHELL=1" asks for a shell in the VM, not for another shell of make's.
WANT_SHELL := $(if $(filter command%,$(origin SHELL)),1)
override SHELL := /bin/sh

VERSION := $(shell cat VERSION)
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UDEVDIR ?= /usr/lib/udev/rules.d
DRACUTDIR ?= /usr/lib/dracut
UNITDIR ?= /usr/lib/systemd/system
GENERATORDIR ?= /usr/lib/systemd/system-generators
SYSUSERSDIR ?= /usr/lib/sysusers.d
MAN := $(wildcard Documentation/man/*.[0-9])
IMAGE_MAN := $(wildcard Documentation/man/ccdm-image.* Documentation/man/ccdm-workload.*)
BROKER_MAN := $(wildcard Documentation/man/ccdm-broker.* Documentation/man/ccdm-brokerd.* Documentation/man/ccdm-policy.*)
OPEN_MAN := $(wildcard Documentation/man/ccdm-open.* Documentation/man/libccdm.*)
SETUP_MAN := $(filter-out $(BROKER_MAN) $(IMAGE_MAN) $(OPEN_MAN),$(MAN))
SETUP_UNITS := $(wildcard userspace/setup/*.service userspace/setup/*.socket userspace/setup/*.path userspace/setup/*.timer)
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
override CFLAGS += -std=gnu11 -Wall -Wextra -Werror=unused-result -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
override CPPFLAGS += -D_GNU_SOURCE -DCCDM_VERSION='"$(VERSION)"' -Ikmod -Iuserspace/lib -Iuserspace/broker -Iuserspace
override LDFLAGS += -pie -Wl,-z,relro,-z,now
PKGS := devmapper fdisk libkmod libnl-3.0 libnl-genl-3.0 blkid jansson libudev libcrypto libssl sqlite3 yaml-0.1 \
	libevent_openssl libevent tss2-esys tss2-mu tss2-rc tss2-tcti-device zlib libzstd libarchive
# What each program links
SETUP_PKGS := devmapper libkmod libnl-3.0 libnl-genl-3.0 blkid jansson libudev libcrypto tss2-esys tss2-mu tss2-rc \
	tss2-tcti-device zlib
BROKER_PKGS := jansson libcrypto sqlite3 tss2-mu yaml-0.1
IMAGE_PKGS := fdisk jansson libcrypto tss2-mu zlib libzstd yaml-0.1 libarchive
BROKERD_PKGS := $(BROKER_PKGS) libevent_openssl libevent libssl

# A program is the folder of its main(), and what that needs of the rooms below it: an archive.
SETUP_SRC := $(wildcard userspace/setup/*.c)
IMAGE_SRC := $(wildcard userspace/image/*.c)
BROKER_SRC := $(wildcard userspace/broker/cli/*.c)
BROKERD_SRC := $(wildcard userspace/broker/daemon/*.c)
LIB_SRC := $(wildcard userspace/lib/*/*.c) $(filter-out $(BROKER_SRC) $(BROKERD_SRC),$(wildcard userspace/broker/*/*.c))
# Tests call the parts of programs, too, but not main().
PARTS_SRC := $(filter-out %/main.c %/brokerd.c,$(LIB_SRC) $(BROKER_SRC) $(BROKERD_SRC))
objects = $(1:%.c=$(BUILD)/%.o)

.PHONY: FORCE all attacks help modules programs bindings bindings-setup test-programs unit-programs install install-programs install-module install-dkms install-broker install-image install-open uninstall dist clean check check-all check-setup coverage kmod mutants soak vm-setup demo demo-boot demo-disk bench bench-compare bench-load bench-record bench-locks bench-boot bench-image html lint vm boot unit fuzz faults need-headers

all: modules programs

help:
	@echo 'make                     the module (KDIR=$(KDIR)) and the programs'
	@echo 'make programs            the programs alone: needs no kernel headers'
	@echo 'make ccdm-open           ccdm-open, a static program, and libccdm (needs musl-gcc)'
	@echo 'make install             module, ccdm-setup, man pages, initrd, udev rules (PREFIX, DESTDIR): those two:'
	@echo 'make install-programs    all but the module'
	@echo 'make install-module      the module alone'
	@echo 'make install-dkms        its sources, in /usr/src, for DKMS'
	@echo 'make install-broker      ccdm-brokerd and ccdm-broker, for the machine that hands out secrets'
	@echo 'make install-image       ccdm-image, for the machine where images are built or looked at'
	@echo 'make install-open        ccdm-open and libccdm'
	@echo 'make uninstall'
	@echo 'make demo                a container image becomes a VM that proves what it is, gets its secret, and halts'
	@echo '                         when its host cheats (root; SUITE=trixie; BASE=DIR: a base that is there)'
	@echo 'make demo-boot           a Debian with a ccdm root, without a broker'
	@echo 'make demo-disk           the disk alone'
	@echo 'make check               all tests in short form (root; KERNEL=6.1, 6.12 or 7.2; DEBUG=1: on the debug kernel)'
	@echo 'make check-all           every kernel, long forms; goes on where it stopped'
	@echo 'tests/run --help         every test by its name (tests/README.md)'
	@echo 'make unit                the unit tests alone (TEST=x509)'
	@echo 'make attacks             a broker, and guests that lie to it with genuine signatures'
	@echo 'make fuzz                the parsers of what is not ours (SECONDS=10 each)'
	@echo 'make faults              the programs, with each of their calls failing once (EVERY=4: each fourth)'
	@echo 'make kmod                the module'"'"'s tree, cache and I/O path in a program, beside an oracle (RUNS=400 of each kind)'
	@echo 'make soak HOURS=2        all of it at once, and a host that strikes; goes on where it stopped'
	@echo 'make coverage            which lines and branches the tests reach (a kernel that counts is built first)'
	@echo 'make mutants             break the code line by line: a test must see each (MUTANT=name)'
	@echo 'make vm TEST=10-life     one test; SHELL=1 a shell in the VM; KERNEL=, DEBUG=1'
	@echo 'make boot TEST=10-boots  one test of the boot (SUITE=bookworm, trixie, sid, debug; ALL=1)'
	@echo 'make bench               instructions per I/O beside dm-crypt and LUKS2; bench-load (KERNEL=6.12)'
	@echo 'make bench-compare       the same, beside what is recorded in Documentation/bench'
	@echo 'make bench-record        writes what is there: text, JSON, a plot'
	@echo 'make bench-load          latency and IOPS on a device that takes time (KERNEL=6.12; ROW=cold)'
	@echo 'make bench-locks         who waits for which lock, on several CPUs (debug kernel)'
	@echo 'make bench-boot          what a boot costs beside dm-verity and LUKS2 (SUITE=trixie)'
	@echo 'make bench-image         time, memory, sizes of ccdm-image build, CPU time of a boot (BASE=DIR)'
	@echo 'make html                the documentation as HTML, in build/html'
	@echo 'make lint                static checks'
	@echo 'make dist                a tarball, the same bytes each time (REV=HEAD)'
	@echo 'make clean'

# Files with the compiler and its flags, which change when those do: then all is compiled anew.
UNIT_CFLAGS ?= -std=gnu11 -g -O1 -Wall -Wextra -Werror=unused-result -fsanitize=address,undefined \
	-fno-sanitize-recover=all
$(BUILD)/flags: export FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(BUILD)/unit/flags: export FLAGS := $(CC) $(CPPFLAGS) $(UNIT_CFLAGS)
$(BUILD)/flags $(BUILD)/unit/flags $(BUILD)/open/flags: FORCE
	@mkdir -p $(@D)
	@{ $(CC) --version 2>/dev/null | head -n1; printf '%s\n' "$$FLAGS"; } >$@.$$$$ && \
		if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

# What is missing is said before anything is built. Only targets of tests and demos install it.
$(BUILD)/have-programs $(BUILD)/have-unit: $(BUILD)/have-%: scripts/need $(BUILD)/flags
	@CC='$(firstword $(CC))' scripts/need $*
	@mkdir -p $(@D)
	@touch $@

need-headers:
	@KDIR='$(KDIR)' scripts/need modules

modules: need-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

programs: $(addprefix $(BUILD)/bin/,ccdm-setup ccdm-image ccdm-broker ccdm-brokerd)

$(BUILD)/%.o: %.c VERSION $(BUILD)/flags | $(BUILD)/have-programs
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) $$(pkg-config --cflags $(PKGS)) -MMD -MP -c -o $@ $<

$(BUILD)/lib.a: $(call objects,$(LIB_SRC))
$(BUILD)/parts.a: $(call objects,$(PARTS_SRC))
$(BUILD)/lib.a $(BUILD)/parts.a:
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/bin/ccdm-setup: $(call objects,$(SETUP_SRC))
$(BUILD)/bin/ccdm-setup: LIBS = $(SETUP_PKGS)
$(BUILD)/bin/ccdm-image: $(call objects,$(IMAGE_SRC))
$(BUILD)/bin/ccdm-image: LIBS = $(IMAGE_PKGS)
$(BUILD)/bin/ccdm-broker: $(call objects,$(BROKER_SRC))
$(BUILD)/bin/ccdm-broker: LIBS = $(BROKER_PKGS)
$(BUILD)/bin/ccdm-brokerd: $(call objects,$(BROKERD_SRC))
$(BUILD)/bin/ccdm-brokerd: LIBS = $(BROKERD_PKGS)
$(addprefix $(BUILD)/bin/,ccdm-setup ccdm-image ccdm-broker ccdm-brokerd): $(BUILD)/lib.a $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  LD      $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $$(pkg-config --libs $(LIBS))

# ---- libccdm, and ccdm-open: the mapping without other libraries ----

# the library; ccdm-open is static, with musl, of the same sources and verbs of ccdm-setup
LIBCCDM_SRC := $(wildcard userspace/libccdm/*.c) $(addprefix userspace/lib/,$(addprefix disk/,\
	open.c dm_text.c dm_mapping.c dm_reason.c device.c module_version.c) $(addprefix base/,err.c trace.c ui.c))
OPEN_SRC := $(LIBCCDM_SRC) $(wildcard userspace/open/*.c) $(addprefix userspace/setup/,verb.c status_json.c \
	cmd_open.c cmd_close.c cmd_status.c cmd_list.c cmd_attach.c) $(addprefix userspace/lib/,\
	disk/find.c disk/tab.c base/file.c base/options.c base/complete.c)
SONAME := libccdm.so.$(firstword $(subst ., ,$(VERSION)))
MUSL_CC ?= musl-gcc
OPEN_CFLAGS ?= -Os -g
override OPEN_CFLAGS += -std=gnu11 -Wall -Wextra -Werror=unused-result -Wformat=2 -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -fstack-protector-strong -ffunction-sections -fdata-sections
OPEN_CPPFLAGS = $(CPPFLAGS) -DCCDM_PROGRAM='"ccdm-open"'

.PHONY: ccdm-open
ccdm-open: $(BUILD)/bin/ccdm-open $(BUILD)/lib/$(SONAME) $(BUILD)/lib/libccdm.a

$(BUILD)/open/flags: export FLAGS := $(MUSL_CC) $(OPEN_CFLAGS)
$(BUILD)/have-open: scripts/need $(BUILD)/open/flags
	@MUSL_CC='$(firstword $(MUSL_CC))' scripts/need open
	@mkdir -p $(@D)
	@touch $@

# musl has no headers of the kernel; those of a distribution depend on no libc
$(BUILD)/open/include:
	@mkdir -p $@
	@ln -sfn /usr/include/linux /usr/include/asm-generic \
		$$(echo '#include <asm/types.h>' | $(CC) -E - | sed -n 's/^# 1 "\(.*\/asm\)\/types.h".*/\1/p') $@

$(BUILD)/open/%.o: %.c VERSION $(BUILD)/open/flags | $(BUILD)/open/include $(BUILD)/have-open
	@mkdir -p $(@D)
	@echo '  MUSL    $<'
	@$(MUSL_CC) -I$(BUILD)/open/include $(OPEN_CPPFLAGS) $(OPEN_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bin/ccdm-open: $(OPEN_SRC:%.c=$(BUILD)/open/%.o)
	@mkdir -p $(@D)
	@echo '  LD      $@'
	@$(MUSL_CC) $(OPEN_CFLAGS) -static -Wl,--gc-sections,-z,relro,-z,now -o $@ $^

$(BUILD)/libccdm/%.o: %.c VERSION $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(OPEN_CPPFLAGS) $(CFLAGS) -fPIC -ffunction-sections -MMD -MP -c -o $@ $<

$(BUILD)/lib/$(SONAME): $(LIBCCDM_SRC:%.c=$(BUILD)/libccdm/%.o) userspace/libccdm/libccdm.map
	@mkdir -p $(@D)
	@echo '  LD      $@'
	@$(CC) $(CFLAGS) $(filter-out -pie,$(LDFLAGS)) -shared -Wl,-soname,$(SONAME),--gc-sections,-z,defs \
		-Wl,--version-script=userspace/libccdm/libccdm.map -o $@ $(filter %.o,$^)
	@ln -sfn $(SONAME) $(@D)/libccdm.so

$(BUILD)/lib/libccdm.a: $(LIBCCDM_SRC:%.c=$(BUILD)/libccdm/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^

# what makes evidence for tests
FORGE := -Itests/forge
$(BUILD)/tests/%.o $(BUILD)/unit/tests/%.o $(BUILD)/tests/devices.so: CPPFLAGS += $(FORGE)

$(BUILD)/tests/%: tests/lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpthread

$(BUILD)/tests/load: $(BUILD)/tests/program/broker/load.o
$(BUILD)/tests/mirror: $(BUILD)/tests/program/broker/mirror.o
$(BUILD)/tests/attack-guest: $(BUILD)/tests/program/attacks/guest.o
$(BUILD)/tests/attack-mutations: $(addprefix $(BUILD)/tests/program/attacks/,mutations.o mutation_bytes.o mutation_files.o mutation_kinds.o)
$(BUILD)/tests/signer: $(BUILD)/tests/kernel/sim/signer.o
$(BUILD)/tests/unpack: $(BUILD)/tests/program/layers/unpack.o
$(BUILD)/tests/vtpm: $(BUILD)/tests/lib/vtpm.o
$(BUILD)/tests/vtpm: LDFLAGS += -Wl,--wrap=Tss2_Tcti_Device_Init
$(addprefix $(BUILD)/tests/,load mirror attack-guest attack-mutations signer unpack vtpm): $(BUILD)/parts.a $(BUILD)/flags
	@echo '  LD      $@'
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $$(pkg-config --libs $(PKGS))

# another day, as a library that is loaded before a program
$(BUILD)/tests/day.so: tests/lib/day.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(filter-out -pie,$(LDFLAGS)) -shared -fPIC -o $@ $<

# a TPM of swtpm at a socket, as a library that is loaded before a program
$(BUILD)/tests/devices.so: tests/lib/devices.c tests/lib/tpm_socket.h tests/forge/chip_tcti.h $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(filter-out -pie,$(LDFLAGS)) -shared -fPIC -o $@ $<

# for clangd and clang-tidy
compile_commands.json: Makefile
	@python3 -c 'import json, sys; d, src, *flags = sys.argv[1:]; print(json.dumps([{"directory": d, \
		"file": f, "arguments": ["cc", *flags, "-c", f]} for f in src.split()], indent=1))' \
		$(CURDIR) '$(sort $(SETUP_SRC) $(IMAGE_SRC) $(BROKER_SRC) $(BROKERD_SRC) $(LIB_SRC) $(OPEN_SRC))' $(CPPFLAGS) $(CFLAGS) $$(pkg-config --cflags $(PKGS)) >$@

# a program that uses the library as others do
$(BUILD)/tests/libccdm-disk: tests/program/libccdm/disk.c userspace/libccdm/ccdm.h $(BUILD)/lib/$(SONAME)
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) -std=gnu11 $(filter-out -std=%,$(CFLAGS)) $(LDFLAGS) -D_GNU_SOURCE -Iuserspace/libccdm -o $@ $< \
		-L$(BUILD)/lib -lccdm '-Wl,-rpath,$$ORIGIN'

# programs that use the bindings, for vm/87-bindings; GOFLAGS and the proxy of a user do not matter
bindings-setup:
	@scripts/setup bindings
$(BUILD)/tests/binding-go: $(wildcard bindings/go/*.go bindings/go/go.mod bindings/go/examples/disk/*.go) | bindings-setup
	@mkdir -p $(@D)
	@echo '  GO      $@'
	@cd bindings/go && CGO_ENABLED=0 GOFLAGS= GOPROXY=off GOTOOLCHAIN=local GOWORK=off go build -trimpath -o $(abspath $@) ./examples/disk
# Debian's compiler, also if the user has another one
$(BUILD)/tests/binding-rust: $(wildcard bindings/rust/src/*.rs bindings/rust/Cargo.toml bindings/rust/examples/disk.rs) | bindings-setup
	@mkdir -p $(@D)
	@echo '  CARGO   $@'
	@cd bindings/rust && PATH=/usr/bin:/bin CARGO_TARGET_DIR=$(abspath $(BUILD)/cargo) RUSTFLAGS='-C target-feature=+crt-static' \
		cargo build -q --offline --release --example disk
	@cp $(BUILD)/cargo/release/examples/disk $@.new
	@mv $@.new $@
bindings: $(BUILD)/tests/binding-go $(BUILD)/tests/binding-rust

test-programs: programs $(BUILD)/bin/ccdm-open $(BUILD)/tests/libccdm-disk $(BUILD)/tests/mirror $(BUILD)/tests/attack-guest $(BUILD)/tests/attack-mutations $(BUILD)/tests/keyfind $(BUILD)/tests/odd $(BUILD)/tests/bounce $(BUILD)/tests/load $(BUILD)/tests/signer $(BUILD)/tests/unpack $(BUILD)/tests/inside $(BUILD)/tests/devices.so $(BUILD)/tests/day.so $(BUILD)/tests/vtpm

# ---- unit tests, with the sanitizers ----

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_OBJ := $(PARTS_SRC:%.c=$(BUILD)/unit/%.o)

$(BUILD)/unit/%.o: %.c VERSION $(BUILD)/unit/flags | $(BUILD)/have-programs $(BUILD)/have-unit
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(UNIT_CFLAGS) $$(pkg-config --cflags $(PKGS)) -MMD -MP -c -o $@ $<

$(BUILD)/unit/lib.a: $(UNIT_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/unit/test_format: $(BUILD)/unit/kmod/tree.o
$(BUILD)/unit/test_signature: $(addprefix $(BUILD)/unit/userspace/libccdm/,signature.o signature_magic.o signature_raid.o)
$(BUILD)/unit/test_libccdm: $(BUILD)/unit/userspace/libccdm/error.o
# They put a TPM of their own behind ccdm_tpm_open(): tests/forge/chip_tcti.h.
$(addprefix $(BUILD)/unit/test_,tpm tpm_ak tpm_ek tpm_nv measure_tpm): UNIT_LDFLAGS := -Wl,--wrap=Tss2_Tcti_Device_Init
$(UNIT): $(BUILD)/unit/%: $(BUILD)/unit/tests/unit/%.o $(BUILD)/unit/lib.a $(BUILD)/unit/flags
	@echo '  UNIT    $@'
	@$(CC) $(UNIT_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(UNIT_LDFLAGS) -lcmocka $$(pkg-config --libs $(PKGS))

# container images through the library, with the sanitizers and without
$(BUILD)/unit/unpack: $(BUILD)/unit/tests/program/layers/unpack.o $(BUILD)/unit/lib.a $(BUILD)/unit/flags
	@echo '  LD      $@'
	@$(CC) $(UNIT_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $$(pkg-config --libs $(PKGS))

# configurations of containers, with the sanitizers; and a static program that runs in one
$(BUILD)/unit/runtime: $(BUILD)/unit/tests/program/workload/runtime.o $(BUILD)/unit/lib.a $(BUILD)/unit/flags
	@echo '  LD      $@'
	@$(CC) $(UNIT_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $$(pkg-config --libs $(PKGS))
$(BUILD)/tests/inside: tests/program/workload/inside.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  CC      $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -static -o $@ $<

unit-programs: $(UNIT) $(BUILD)/unit/unpack $(BUILD)/unit/runtime

unit: unit-programs
	@tests/run unit $(TEST)

SECONDS ?= 10
fuzz: check-setup
	@tests/run fuzz --seconds $(SECONDS)

attacks: check-setup test-programs
	@tests/run program attacks $(ATTACK)

EVERY ?= 1
faults: check-setup
	@tests/run program faults --every $(EVERY)

-include $(OPEN_SRC:%.c=$(BUILD)/open/%.d) $(LIBCCDM_SRC:%.c=$(BUILD)/libccdm/%.d) $(patsubst %.o,%.d,$(call objects,$(SETUP_SRC) $(IMAGE_SRC) $(BROKER_SRC) $(BROKERD_SRC) $(LIB_SRC)) $(UNIT_OBJ)) $(wildcard $(BUILD)/unit/tests/unit/*.d $(BUILD)/tests/*/*.d $(BUILD)/tests/*/*/*.d)

# ---- tests in VMs ----

check: check-setup
	@scripts/check $(if $(DEBUG),debug,$(KERNEL))

check-all: check-setup
	@scripts/check --all

check-setup:
	@scripts/setup check

RUNS ?= 400
kmod: check-setup
	@tests/run kernel kmod --runs $(RUNS)

mutants: check-setup
	@tests/run gauge mutants $(MUTANT)

coverage: check-setup vm-setup
	@scripts/setup debug
	@tests/run gauge coverage $(TEST)

HOURS ?= 1
soak: vm-setup test-programs
	@tests/run gauge soak --hours $(HOURS)

vm-setup:
	@scripts/setup test

vm: vm-setup test-programs
	@tests/run vm --kernel $(if $(DEBUG),debug,$(KERNEL)) $(if $(WANT_SHELL),--shell) $(TEST)

boot: vm-setup test-programs
	@tests/run boot --suite $(SUITE) $(if $(ALL),--all) $(TEST)

# All of the programs run, even if one misses a goal.
bench: vm-setup test-programs
	@r=0; for p in bench load; do tests/run gauge $$p --kernel $(BENCH_KERNEL) || r=1; done; exit $$r

bench-load: vm-setup
	@tests/run gauge load --kernel $(BENCH_KERNEL) $(if $(ROW),--only $(ROW))

bench-compare: vm-setup test-programs
	@r=0; for p in bench $(if $(wildcard Documentation/bench/$(BENCH_KERNEL)-load.json),load); do \
		tests/run gauge $$p --kernel $(BENCH_KERNEL) --compare || r=1; done; exit $$r

bench-record: test-programs
	@scripts/setup bench
	@r=0; for p in bench "bench --short" load; do tests/run gauge $$p --kernel $(BENCH_KERNEL) --record || r=1; done; exit $$r

bench-locks: vm-setup test-programs
	@tests/run gauge locks

bench-boot: vm-setup
	@tests/run gauge boot --suite $(SUITE)

bench-image: vm-setup
	@tests/run gauge images --suite $(SUITE) $(if $(BASE),--base $(BASE))

# A warning is an error: of a link to nowhere, for example. Links out of the tree are listed, not opened.
html:
	@scripts/setup docs
	@sphinx-build -q -n -W --keep-going -b html -d $(BUILD)/doctrees Documentation $(BUILD)/html
	@grep -rnoE --include='*.rst' 'https?://[^ >`"]+' Documentation | sort >$(BUILD)/html/external-links.txt || true
	@echo "$(BUILD)/html/index.html; links out of the tree: $$(wc -l <$(BUILD)/html/external-links.txt), in $(BUILD)/html/external-links.txt"

lint:
	@scripts/setup lint
	@scripts/lint

demo: vm-setup test-programs
	@SUITE=$(SUITE) $(if $(BASE),BASE=$(BASE)) scripts/demo

demo-boot: vm-setup
	@SUITE=$(SUITE) scripts/demo-boot

demo-disk: vm-setup test-programs
	@scripts/demo-disk

# For bash, zsh and fish. (What the program itself prints: but where it is cross-compiled it does not run.)
define install-completion
@mkdir -p $(BUILD)/completion
	scripts/completion $(1) bash >$(BUILD)/completion/$(1).bash
	scripts/completion $(1) zsh >$(BUILD)/completion/$(1).zsh
	scripts/completion $(1) fish >$(BUILD)/completion/$(1).fish
	install -D -m 0644 $(BUILD)/completion/$(1).bash $(DESTDIR)$(COMPDIR)/$(1)
	install -D -m 0644 $(BUILD)/completion/$(1).zsh $(DESTDIR)$(ZSHDIR)/_$(1)
	install -D -m 0644 $(BUILD)/completion/$(1).fish $(DESTDIR)$(FISHDIR)/$(1).fish
endef

# A package must not hold files in /lib, which is a link to /usr/lib.
INSTALL_MOD = INSTALL_MOD_DIR=updates $(if $(DESTDIR),INSTALL_MOD_PATH=$(abspath $(DESTDIR))/usr DEPMOD=true)

install: install-programs install-module

install-module: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(INSTALL_MOD) modules_install

# The module's sources, for DKMS to build.
DKMSDIR ?= /usr/src/ccdm-$(VERSION)
install-dkms:
	install -d $(DESTDIR)$(DKMSDIR)/kmod/probe $(DESTDIR)$(DKMSDIR)/LICENSES
	install -m 0644 Kbuild VERSION COPYING $(DESTDIR)$(DKMSDIR)/
	sed 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="$(VERSION)"/' dkms.conf >$(DESTDIR)$(DKMSDIR)/dkms.conf
	chmod 0644 $(DESTDIR)$(DKMSDIR)/dkms.conf
	install -m 0644 $(wildcard LICENSES/*) $(DESTDIR)$(DKMSDIR)/LICENSES/
	install -m 0644 $(wildcard kmod/*.[ch]) $(DESTDIR)$(DKMSDIR)/kmod/
	install -m 0644 $(wildcard kmod/probe/*.c) $(DESTDIR)$(DKMSDIR)/kmod/probe/

install-programs: $(BUILD)/bin/ccdm-setup
	install -D -m 0755 $(BUILD)/bin/ccdm-setup $(DESTDIR)$(SBINDIR)/ccdm-setup
	$(foreach m,$(SETUP_MAN),install -D -m 0644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	$(call install-completion,ccdm-setup)
	install -d $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm
	install -m 0644 $(filter-out %.sh %/ccdm-generator %/sulogin,$(DRACUT)) $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm/
	install -m 0755 $(filter %.sh %/ccdm-generator %/sulogin,$(DRACUT)) $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm/
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(GENERATORDIR)
	sed 's,@SBINDIR@,$(SBINDIR),' dracut-module/ccdm-attach@.service >$(DESTDIR)$(UNITDIR)/ccdm-attach@.service
	$(foreach u,$(SETUP_UNITS),sed 's,@SBINDIR@,$(SBINDIR),' $(u) >$(DESTDIR)$(UNITDIR)/$(notdir $(u));)
	sed 's,@SBINDIR@,$(SBINDIR),' dracut-module/ccdm-tab-generator >$(DESTDIR)$(GENERATORDIR)/ccdm-tab-generator
	chmod 0755 $(DESTDIR)$(GENERATORDIR)/ccdm-tab-generator
	install -D -m 0644 dracut-module/50-ccdm.conf $(DESTDIR)$(DRACUTDIR)/dracut.conf.d/50-ccdm.conf
	install -D -m 0644 userspace/setup/95-dm-ccdm.rules $(DESTDIR)$(UDEVDIR)/95-dm-ccdm.rules

install-broker: programs
	install -D -m 0755 $(BUILD)/bin/ccdm-broker $(DESTDIR)$(SBINDIR)/ccdm-broker
	$(foreach m,$(BROKER_MAN),install -D -m 0644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	$(call install-completion,ccdm-broker)
	install -D -m 0755 $(BUILD)/bin/ccdm-brokerd $(DESTDIR)$(SBINDIR)/ccdm-brokerd
	$(call install-completion,ccdm-brokerd)
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR)
	sed 's,@SBINDIR@,$(SBINDIR),' userspace/broker/ccdm-brokerd.service >$(DESTDIR)$(UNITDIR)/ccdm-brokerd.service
	install -m 0644 userspace/broker/ccdm-broker.sysusers $(DESTDIR)$(SYSUSERSDIR)/ccdm-broker.conf

# What "ccdm-image base" compiles for the kernel of a base, and its recipe: ccdm_base_sources_copy()
# copies the same.
SOURCEDIR := $(PREFIX)/share/ccdm/source
BASE_SOURCES := VERSION COPYING Kbuild Makefile scripts/need scripts/mirror scripts/completion $(SETUP_MAN) $(wildcard LICENSES/* \
	kmod/*.[ch] kmod/probe/*.c dracut-module/*.conf dracut-module/ccdm-* dracut-module/50ccdm/* userspace/lib/*/*.[ch] \
	userspace/setup/* userspace/image/base/*)

# LIBDIR is relative to no root: in Debian /usr/lib/x86_64-linux-gnu
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
install-open: $(BUILD)/bin/ccdm-open $(BUILD)/lib/$(SONAME) $(BUILD)/lib/libccdm.a
	install -D -m 0755 $(BUILD)/bin/ccdm-open $(DESTDIR)$(SBINDIR)/ccdm-open
	install -D -m 0644 $(BUILD)/lib/$(SONAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	install -m 0644 $(BUILD)/lib/libccdm.a $(DESTDIR)$(LIBDIR)/
	ln -sfn $(SONAME) $(DESTDIR)$(LIBDIR)/libccdm.so
	install -D -m 0644 userspace/libccdm/ccdm.h $(DESTDIR)$(INCLUDEDIR)/ccdm.h
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig
	sed 's,@LIBDIR@,$(LIBDIR),;s,@INCLUDEDIR@,$(INCLUDEDIR),;s,@VERSION@,$(VERSION),' \
		userspace/libccdm/libccdm.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libccdm.pc
	$(foreach m,$(OPEN_MAN),install -D -m 0644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	$(call install-completion,ccdm-open)

# An ordinary account uses it: it is in bin, and its manual in section 1.
install-image: $(BUILD)/bin/ccdm-image
	install -D -m 0755 $(BUILD)/bin/ccdm-image $(DESTDIR)$(BINDIR)/ccdm-image
	$(foreach m,$(IMAGE_MAN),install -D -m 0644 $(m) $(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m));)
	$(call install-completion,ccdm-image)
	rm -rf $(DESTDIR)$(SOURCEDIR)
	install -d $(DESTDIR)$(SOURCEDIR)
	cp --parents -t $(DESTDIR)$(SOURCEDIR) $(BASE_SOURCES)
	chmod -R u=rwX,go=rX $(DESTDIR)$(SOURCEDIR)

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/ccdm-image $(DESTDIR)$(SBINDIR)/ccdm-setup $(DESTDIR)$(SBINDIR)/ccdm-broker $(DESTDIR)$(SBINDIR)/ccdm-brokerd $(foreach m,$(MAN),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
		$(DESTDIR)$(UNITDIR)/ccdm-attach@.service $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(SETUP_UNITS))) $(DESTDIR)$(GENERATORDIR)/ccdm-tab-generator \
		$(foreach p,ccdm-setup ccdm-open ccdm-image ccdm-broker ccdm-brokerd,$(DESTDIR)$(COMPDIR)/$(p) $(DESTDIR)$(ZSHDIR)/_$(p) $(DESTDIR)$(FISHDIR)/$(p).fish) \
		$(DESTDIR)$(UNITDIR)/ccdm-brokerd.service $(DESTDIR)$(SYSUSERSDIR)/ccdm-broker.conf \
		$(DESTDIR)$(UDEVDIR)/95-dm-ccdm.rules \
		$(DESTDIR)$(DRACUTDIR)/dracut.conf.d/50-ccdm.conf
	rm -f $(DESTDIR)$(SBINDIR)/ccdm-open $(DESTDIR)$(INCLUDEDIR)/ccdm.h $(DESTDIR)$(LIBDIR)/pkgconfig/libccdm.pc \
		$(foreach l,$(SONAME) libccdm.so libccdm.a,$(DESTDIR)$(LIBDIR)/$(l))
	rm -rf $(DESTDIR)$(DRACUTDIR)/modules.d/50ccdm $(DESTDIR)$(SOURCEDIR)
	rm -f $(if $(KDIR),$(DESTDIR)$(if $(DESTDIR),/usr)/lib/modules/$$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		$(KDIR)/include/generated/utsrelease.h)/updates/dm-ccdm.ko*)

# The same commit gives the same bytes.
REV ?= HEAD
DIST := ccdm-$(VERSION)
dist:
	@mkdir -p $(BUILD)
	@git -c core.autocrlf=false -c tar.umask=0022 archive --format=tar --prefix=$(DIST)/ $(REV) >$(BUILD)/$(DIST).tar
	@gzip -9nf $(BUILD)/$(DIST).tar
	@echo '  DIST    $(BUILD)/$(DIST).tar.gz'

clean:
	rm -rf $(BUILD)
	find . -name '*.o' -delete
	rm -rf *.ko *.mod *.mod.c .*.cmd Module.symvers modules.order kmod/.*.cmd .tmp_versions
