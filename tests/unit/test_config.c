// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* The boot's configuration, the fence, and what the running system may mount. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "boot/config.h"
#include "boot/fence.h"
#include "boot/system.h"
#include "base/ini.h"
#include "seed.h"

#define WORDS                                                                              \
	"root=/dev/mapper/ccdm-root rw systemd.import_credentials=no systemd.gpt_auto=no " \
	"systemd.ssh_auto=no nohibernate noresume"
#define HASH   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HASH31 "000000000000000000000000000000000000000000000000000000000000000"
#define BASE                                                                                    \
	"[base]\ndevice = PARTUUID=1234\nroothash = " HASH "\nsalt = 00ff\ndata_blocks = 100\n" \
	"hash_start = 0\n"
#define WORKLOAD                                             \
	"[workload]\ndevice = PARTUUID=56\nroothash = " HASH \
	"\nsalt = -\ndata_blocks = 7\nhash_start = 7\n"
#define PIN    "00000000000000000000000000000000000000000000000000000000000000aa"
#define ATTEST "[attest]\nbroker = https://x:1\npin = " PIN "\n"
#define GOOD   "[boot]\ncmdline = " WORDS " panic=0 quiet\n" BASE

static struct ccdm_config config;
static struct ccdm_err err;

static int parse(const char *text)
{
	memset(&err, 0, sizeof(err));
	seed_texts("conf", 'c', 0, text, NULL, NULL, NULL);
	return ccdm_config_parse("c", text, strlen(text), &config, &err);
}

/* A workload has the same fields as the base, with values of its own. */
static void workload(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOD WORKLOAD), 0);
	assert_string_equal(config.workload.device, "PARTUUID=56");
	assert_string_equal(config.workload.hash_device, "");
	assert_string_equal(config.workload.algorithm, "sha256");
	assert_int_equal(config.workload.hash_start, 7);
	assert_string_equal(config.base.device, "PARTUUID=1234");
	assert_int_equal(config.base.hash_start, 0);
}

static void good(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOD), 0);
	assert_true(config.strict && config.lockdown);
	assert_int_equal(config.tpm, CCDM_TPM_OFF);
	assert_int_equal(config.rtmr, CCDM_RTMR_OFF);
	assert_string_equal(config.root_device, "");
	assert_int_equal(config.base.hash_block_size, 4096);
	assert_string_equal(config.workload.device, "");
	assert_int_equal(
		parse("# a comment\r\n; another\n" GOOD
		      "[root]\n\tdevice = /dev/vdb\nwipe=yes\nmin_size = 1G\ncipher = aes-gcm\n"
		      "cache_size=64MiB\non_tamper = poweroff\n[measure]\nworkload = /w\n"),
		0);
	assert_true(config.wipe);
	assert_string_equal(config.workload_file, "/w");
	assert_int_equal(config.min_size, 1 << 30);
	assert_string_equal(config.cipher, "aes-gcm");
	assert_int_equal(config.tpm, CCDM_TPM_REQUIRED);
	assert_int_equal(config.rtmr, CCDM_RTMR_OPTIONAL);
	assert_int_equal(parse(GOOD "[root]\ndevice = gpt\n[measure]\ntpm = optional"), 0);
	assert_string_equal(config.root_device, "");
	assert_int_equal(parse(GOOD "[root]\ndevice = blank\n"), 0);
	assert_string_equal(config.root_device, "blank");
	assert_int_equal(parse(GOOD "[root]\ndevice = gpt\n[measure]\ntpm = optional"), 0);
	assert_int_equal(config.tpm, CCDM_TPM_OPTIONAL);
	assert_int_equal(parse(GOOD "[root]\ndevice = gpt\n[measure]\nrtmr = required"), 0);
	assert_int_equal(config.rtmr, CCDM_RTMR_REQUIRED);
	assert_int_equal(parse(GOOD "[root]\ndevice = gpt\n[measure]\nrtmr = off"), 0);
	assert_int_equal(config.rtmr, CCDM_RTMR_OFF);
	assert_int_equal(parse(GOOD ATTEST "[secrets]\na = b/cryptsetup/d\nc = b/cryptsetup/e\n"
					   "d = b/cryptsetup/d\ne = b/c/d\n"),
			 0);
	assert_int_equal(config.nr_secrets, 4);
	assert_int_equal(parse("[boot]\non_failure = reboot\ncmdline = " WORDS " panic=60\n" BASE),
			 0);
}

static void bad(void **state)
{
	static char many[8192];
	static const struct {
		const char *text, *says;
	} table[] = {
		{ "", "c: no 'cmdline' in [boot]" },
		{ "x = 1\n", "c:1:1: expected a section before the first key" },
		{ GOOD "[boot]\n", "c:9:2: section [boot] appears twice" },
		{ GOOD "[root\n", "c:9:6: expected ']' here" },
		{ GOOD "[root] x\n", "c:9:7: expected the end of the line here" },
		{ GOOD "[]\n", "c:9:2: a section needs a name" },
		{ GOOD "[cellar]\n",
		  "c:9:2: unknown section 'cellar', expected [boot], [base], [workload], "
		  "[root], [measure], [attest], [secrets]" },
		{ GOOD "[root]\n  colour = red\n", "c:10:3: unknown key 'colour' in [root]" },
		{ GOOD "[root]\nwipe yes\n", "c:10:6: expected '=' here" },
		{ GOOD "[root]\n= yes\n", "c:10:1: expected a key" },
		{ GOOD "[root]\nwipe = maybe\n",
		  "c:10:8: wipe = 'maybe': expected one of: no yes" },
		{ GOOD "[root]\nwipe = yes\nwipe = no\n", "c:11:1: 'wipe' appears twice" },
		{ GOOD "[root]\nwipe =\n", "c:10:7: wipe = ''" },
		{ GOOD "[root]\non_tamper = eio\n", "expected one of: panic poweroff" },
		{ GOOD "[root]\ndevice = vdb\n", "expected /dev/... or PARTUUID=..." },
		{ GOOD "[root]\ndevice = LABEL=x\n", "expected /dev/... or PARTUUID=..." },
		{ GOOD "[root]\nmin_size = lots\n", "a size from 0" },
		{ GOOD "[root]\ncache_size = 1M\n", "a size from 2097152" },
		{ GOOD "[measure]\nrtmr = yes\n", "off optional required" },
		{ GOOD "[measure]\nsigner = key.pem\n", "an absolute path" },
		{ GOOD "[attest]\n", "[attest] has no 'broker'" },
		{ GOOD "[attest]\nbroker = http://x\nca = /x\n", "[attest] has no 'broker'" },
		{ GOOD "[attest]\nbroker = https://\nca = /x\n", "[attest] has no 'broker'" },
		{ GOOD "[attest]\nbroker = https://x\n", "needs either 'ca' or 'pin'" },
		{ GOOD "[attest]\nbroker = https://x\nca = /x\npin = " PIN "\n",
		  "needs either 'ca' or 'pin'" },
		{ GOOD "[attest]\nbroker = https://x\npin = 00\n", "hex digits" },
		{ GOOD "[attest]\nattest = maybe\n", "off optional required" },
		{ GOOD "[attest]\nprotocol = 0.3.0\n", "0.4.0 0.2.0" },
		{ GOOD "[attest]\nactivation = 1\n", "yes no" },
		{ GOOD "[attest]\ncertificate = vcek.pem\n", "an absolute path" },
		{ GOOD "[secrets]\na = b/c/d\n", "[secrets] needs attestation" },
		{ GOOD ATTEST "[secrets]\na = b/c\n", "expected REPO/TYPE/TAG" },
		{ GOOD ATTEST "[secrets]\na = b/c/../d\n", "expected REPO/TYPE/TAG" },
		{ GOOD ATTEST "[secrets]\n.a = b/c/d\n", "'.a' is not a valid credential name" },
		{ GOOD ATTEST "[secrets]\na = b/c/d\na = b/c/e\n", "'a' appears twice" },
		{ GOOD ATTEST "[secrets]\na = b/cryptsetup/d\nc = e/cryptsetup/d\n",
		  "expected another TAG, because a volume has one key" },
		{ GOOD "[measure]\nsigner = /a b\n", "a value without blanks" },
		{ GOOD ATTEST "[secrets]\n" PIN "a = b/c/d\n", "is not a valid credential name" },
		{ GOOD ATTEST "[secrets]\na = b/c/" PIN PIN PIN PIN "\n",
		  "expected REPO/TYPE/TAG" },
		{ GOOD "[attest]\nbroker = https://x\npin = " PIN "0\n", "a shorter value" },
		{ GOOD "[attest]\nbroker = https://x\npin = 0" PIN "\n", "a shorter value" },
		{ GOOD "[attest]\nbroker = https://x\npin = x" HASH31 "\n", "hex digits" },
		{ "[base]\nroothash = " PIN PIN "00\n", "a shorter value" },
		{ "[root]\ndevice = /dev/" PIN PIN PIN PIN "\n", "a shorter value" },
		{ "[boot]\ntimeout = 0\n", "a number from 1 to 600" },
		{ "[boot]\ntimeout = 601\n", "a number from 1 to 600" },
		{ "[boot]\ntimeout = 99999999999999999999999\n", "a number from 1 to 600" },
		{ "[boot]\ntimeout = 5 s\n", "a number from 1 to 600" },
		{ "[boot]\ntimeout = -1\n", "a number from 1 to 600" },
		{ "[boot]\ncmdline = quiet\n" BASE,
		  "c: cmdline has no 'root=/dev/mapper/ccdm-root'" },
		{ "[boot]\ncmdline = " WORDS "\n" BASE, "c: cmdline has no 'panic=0'" },
		{ "[boot]\non_failure = reboot\ncmdline = " WORDS " panic=0\n" BASE,
		  "c: cmdline has no 'panic=60'" },
		{ "[boot]\ncmdline = x\n[base]\ndevice = PARTUUID=1\nsalt = -\ndata_blocks = 1\n"
		  "hash_start = 1\n",
		  "c: no 'roothash' in [base]" },
		{ "[base]\nroothash = 00\n", "hex digits" },
		{ "[base]\nroothash = ABCD\n", "hex digits" },
		{ "[boot]\ncmdline = " WORDS " panic=0\n" BASE "algorithm = sha512\n",
		  "c: a root hash of sha512 has 128 hex digits, found 64" },
		{ "[boot]\ncmdline = " WORDS
		  " panic=0\n[base]\ndevice = PARTUUID=1\nroothash = " HASH HASH
		  "\nsalt = -\ndata_blocks = 1\nhash_start = 1\n",
		  "c: a root hash of sha256 has 64 hex digits, found 128" },
		{ "[base]\nroothash = " HASH "0\n", "hex digits" },
		{ GOOD "[workload]\ndevice = PARTUUID=56\n", "c: no 'roothash' in [workload]" },
		{ GOOD "[workload]\n", "c: no 'device' in [workload]" },
		{ GOOD "[workload]\ndevice = sda\n", "/dev/... or PARTUUID=..." },
		{ GOOD WORKLOAD "algorithm = sha512\n",
		  "c: a root hash of sha512 has 128 hex digits, found 64" },
		{ GOOD WORKLOAD "[measure]\nworkload = /w\n",
		  "c: [measure] has a 'workload', but the boot measures the section [workload]" },
		{ "[base]\nalgorithm = md5\n", "sha256 sha512" },
		{ "[base]\ndata_block_size = 512\n", "expected 4096" },
		{ "[base]\nalgorithm = sha512\n[boot]\ncmdline = " WORDS
		  " panic=0\n[root]\n[measure]\n",
		  "c: no 'device' in [base]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(parse(table[i].text), -EINVAL);
		if (!strstr(err.text, table[i].says))
			fail_msg("%zu: '%s' says not '%s'", i, err.text, table[i].says);
	}
	/* one secret too many */
	strcpy(many, GOOD ATTEST "[secrets]\n");
	for (i = 0; i <= CCDM_SECRETS_MAX; i++)
		sprintf(many + strlen(many), "a%zu = b/c/d%zu\n", i, i);
	assert_int_equal(parse(many), -EINVAL);
	assert_non_null(strstr(err.text, "at most 64 secrets"));
	*strrchr(many, 'a') = '\0';
	assert_int_equal(parse(many), 0);
	assert_int_equal(ccdm_config_load("/nosuch/ccdm.conf", &config, &err), -ENOENT);
	/* a zero byte, with anything behind it */
	assert_int_equal(ccdm_config_parse("c", GOOD "\0[root]", sizeof(GOOD) + 6, &config, &err),
			 -EINVAL);
}

/*
 * Cut a valid file at each byte, and change each byte: an error or a configuration, never a crash.
 */
static void damaged(void **state)
{
	char text[] = GOOD "[root]\nmin_size = 1G\n[measure]\nsigner = /k\n";
	size_t i;
	int c, r;

	(void)state;
	for (i = 0; i < sizeof(text); i++) {
		char old = text[i];

		r = ccdm_config_parse("c", text, i, &config, &err);
		assert_true(!r || r == -EINVAL);
		for (c = 0; c < 256; c += 5) {
			text[i] = (char)c;
			r = ccdm_config_parse("c", text, sizeof(text) - 1, &config, &err);
			assert_true(!r || r == -EINVAL);
		}
		text[i] = old;
	}
}

static void cmdline(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOD), 0);
	seed_texts("conf", 'l', 0xff, GOOD, WORDS " panic=0 quiet rd.break", NULL, NULL);
	seed_texts("conf", 'l', 0xff, GOOD, WORDS " panic=0 quiet", NULL, NULL);
	seed_texts("conf", 'l', 0xff, GOOD "[boot]\nstrict=no\n", "a " WORDS, NULL, NULL);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=0 quiet\n", false, &err), 0);
	assert_int_equal(ccdm_fence_cmdline(&config, "  " WORDS "  panic=0\tquiet", false, &err),
			 0);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=0 quiet rd.break", false, &err),
			 -ECANCELED);
	assert_non_null(strstr(err.text,
			       "word 10 of the command line: expected no word, found 'rd.break'"));
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=0", false, &err), -ECANCELED);
	assert_non_null(strstr(err.text, "expected 'quiet', found none"));
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " quiet panic=0", false, &err),
			 -ECANCELED);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=0 quiets", false, &err),
			 -ECANCELED);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=1 quiet", false, &err),
			 -ECANCELED);
	assert_non_null(strstr(err.text, "expected 'panic=0', found 'panic=1'"));
	assert_int_equal(ccdm_fence_cmdline(&config, "", false, &err), -ECANCELED);
	config.strict = false;
	assert_int_equal(ccdm_fence_cmdline(&config, "a " WORDS " b panic=0 c", false, &err), 0);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=00", false, &err), -ECANCELED);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS, false, &err), -ECANCELED);
	assert_non_null(strstr(err.text, "has no 'panic=0'"));
}

/* OVMF's word for the initrd of a direct boot: at the end, once, and where no stub ran */
static void direct(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOD), 0);
	assert_int_equal(
		ccdm_fence_cmdline(&config, WORDS " panic=0 quiet initrd=initrd\n", true, &err), 0);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=0 quiet", true, &err), 0);
	assert_int_equal(
		ccdm_fence_cmdline(&config, WORDS " panic=0 quiet initrd=initrd", false, &err),
		-ECANCELED);
	assert_non_null(strstr(err.text, "expected no word, found 'initrd=initrd'"));
	assert_int_equal(ccdm_fence_cmdline(&config,
					    WORDS " panic=0 quiet initrd=initrd initrd=initrd",
					    true, &err),
			 -ECANCELED);
	assert_int_equal(
		ccdm_fence_cmdline(&config, WORDS " panic=0 quiet initrd=initrd x", true, &err),
		-ECANCELED);
	assert_int_equal(
		ccdm_fence_cmdline(&config, WORDS " panic=0 initrd=initrd quiet", true, &err),
		-ECANCELED);
	assert_int_equal(
		ccdm_fence_cmdline(&config, WORDS " panic=0 quiet initrd=initrd2", true, &err),
		-ECANCELED);
	assert_int_equal(ccdm_fence_cmdline(&config, WORDS " panic=0 initrd=initrd", true, &err),
			 -ECANCELED);
}

static void put(const char *root, const char *path)
{
	char file[256];
	FILE *f;

	snprintf(file, sizeof(file), "%s%s", root, path);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
}

/* A stub is known by its variable; no variables at all say nothing. */
static void stub(void **state)
{
	char root[] = "/tmp/ccdm-unit-XXXXXX", command[300];

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_false(ccdm_fence_direct(root));
	snprintf(command, sizeof(command), "mkdir -p %s/sys/firmware/efi/efivars", root);
	assert_int_equal(system(command), 0);
	assert_false(ccdm_fence_direct(root));
	put(root, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
	assert_true(ccdm_fence_direct(root));
	put(root, "/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f");
	assert_false(ccdm_fence_direct(root));
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

static void extra(void **state)
{
	char root[] = "/tmp/ccdm-unit-XXXXXX", path[256];
	char command[300];

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(ccdm_fence_files(root, &err), 0);
	snprintf(path, sizeof(path), "%s/.extra", root);
	assert_int_equal(mkdir(path, 0755), 0);
	put(root, "/.extra/tpm2-pcr-signature.json");
	put(root, "/.extra/os-release");
	assert_int_equal(ccdm_fence_files(root, &err), 0);
	put(root, "/.extra/x.cred");
	assert_int_equal(ccdm_fence_files(root, &err), -ECANCELED);
	assert_non_null(strstr(err.text, "/.extra/x.cred"));
	snprintf(path, sizeof(path), "%s/.extra/x.cred", root);
	unlink(path);
	/* a file in place of the folder */
	snprintf(command, sizeof(command), "mkdir -p %s/run && : >%s/run/credentials", root, root);
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_fence_files(root, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "/run/credentials"));
	snprintf(command, sizeof(command),
		 "rm %s/run/credentials && mkdir -p %s/run/credentials/@system", root, root);
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_fence_files(root, &err), 0);
	put(root, "/run/credentials/@system/systemd.extra-unit.x");
	assert_int_equal(ccdm_fence_files(root, &err), -ECANCELED);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

/* Settings that the host gives to systemd outside of the command line. */
static void options(void **state)
{
	char root[] = "/tmp/ccdm-unit-XXXXXX", command[300];

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(ccdm_fence_options(root, &err), 0);
	snprintf(command, sizeof(command),
		 "mkdir -p %s/run/systemd/efivars && cd %s/run/systemd/efivars && echo a >Other && "
		 "f=SystemdOptions-8cf2644b-4b0b-428f-9387-6d876050dc67",
		 root, root);
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_fence_options(root, &err), 0);
	strcat(command, " && echo systemd.confirm_spawn >$f && echo x >>$f");
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_fence_options(root, &err), -ECANCELED);
	assert_string_equal(err.text, "expected no firmware variable SystemdOptions, found "
				      "'systemd.confirm_spawn'");
	strcat(command, " && truncate -s 65537 $f");
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_fence_options(root, &err), -ECANCELED);
	strcat(command, " && : >$f");
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_fence_options(root, &err), -ECANCELED);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

static void mounts(void **state)
{
	static const char *const allowed[] = {
		"",
		"# UUID=1 / ext4\n",
		"/dev/mapper/ccdm-root / ext4 defaults 0 1\n",
		"tmpfs /tmp tmpfs nosuid\nproc /proc proc\n\n",
		"/swapfile none swap sw\n",
		"server:/export /srv nfs\n",
		"UUID=AB-CD /boot/efi vfat umask=0077,x-ccdm.esp,nofail 0 0\n",
		"/dev/vda1 /efi vfat x-ccdm.esp",
		"/dev/vda1 /boot vfat nofail,x-ccdm.esp",
	};
	static const char *const refused[] = {
		"UUID=1 /home ext4\n",
		"LABEL=home /home ext4",
		"PARTUUID=1 none swap sw",
		"PARTLABEL=x /x ext4",
		"tmpfs /tmp tmpfs\n /dev/vdb1 /home ext4\n",
		"/dev/disk/by-uuid/1 /home ext4",
		"/dev/mapper/home /home ext4",
		"/dev/mapper/ccdm-root/../../vdb /home ext4",
		"/tmp/../dev/vdb /home ext4",
		"//dev/vdb /home ext4",
		"/./dev/vdb /home ext4",
		"/\\144ev/vdb /home ext4",
		"UUID=AB-CD /home vfat x-ccdm.esp",
		"UUID=AB-CD /boot/efi ext4 x-ccdm.esp",
		"UUID=AB-CD /boot/efi vfat not-x-ccdm.esp",
		"UUID=AB-CD /boot/efi vfat",
		"/dev/vda1 /boot/efi",
		"/dev/vda1",
		"/dev/vda1 /efix vfat x-ccdm.esp",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (ccdm_system_fstab("fstab", allowed[i], &err))
			fail_msg("'%s': %s", allowed[i], err.text);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (ccdm_system_fstab("fstab", refused[i], &err) != -ECANCELED)
			fail_msg("'%s' was allowed", refused[i]);
	assert_int_equal(ccdm_system_fstab("fstab", "a b c\n\nLABEL=x /y ext4\n", &err),
			 -ECANCELED);
	assert_non_null(strstr(err.text, "fstab:3: "));
	assert_int_equal(ccdm_system_crypttab("c", "x /dev/mapper/ccdm-y none luks\n", &err), 0);
	assert_int_equal(ccdm_system_crypttab("c", "x /dev/vdb none luks\n", &err), -ECANCELED);
	assert_int_equal(ccdm_system_crypttab("c", "x UUID=1 none luks\n", &err), -ECANCELED);
	assert_int_equal(ccdm_system_crypttab("c", "x\n \n", &err), 0);
}

/* Lines of units that are allowed and refused, with spaces and continued lines. */
static void units(void **state)
{
	static const char *const allowed[] = {
		"",
		"[Mount]\nWhat=tmpfs\nWhere=/tmp\n",
		"What=\n",
		"Where=/x\nWhat = tmpfs",
		"[Swap]\nWhat=/dev/mapper/ccdm-swap\n",
		"Whatever=/dev/vda\n",
		"#What=/dev/vda\n",
		"What\n=/dev/vda\n",
		"What",
	};
	static const char *const refused[] = {
		"[Mount]\nWhat=/dev/disk/by-label/x",
		"What =/dev/vda\n",
		"What= /dev/vda\n",
		" \tWhat\t=\t/dev/vda \r\n",
		"What=LABEL=x\n",
		"What=tmpfs\nWhat=/dev/vda\n",
		"What=\\\n/dev/vda\n",
		"What= \\\n /dev/vda\n",
		"A=b \\\nWhat=/dev/vda\n",
		"What\\\n=/dev/vda\n",
		"What \\\n = /dev/vda\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (ccdm_system_unit("u", allowed[i], &err))
			fail_msg("'%s': %s", allowed[i], err.text);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (ccdm_system_unit("u", refused[i], &err) != -ECANCELED)
			fail_msg("'%s' was allowed", refused[i]);
	assert_int_equal(ccdm_system_unit("u", "[Mount]\n\n What=/dev/vda \n", &err), -ECANCELED);
	assert_non_null(strstr(err.text, "u:3: "));
	assert_non_null(strstr(err.text, "found '/dev/vda'"));
}

/* Whichever file names a device of the host, it is found. */
static void systems(void **state)
{
	static const struct {
		const char *file, *text;
		bool counts;
	} all[] = {
		{ "/etc/fstab", "/dev/vda / ext4", true },
		{ "/etc/crypttab", "x /dev/vda", true },
		{ "/etc/systemd/system/x.mount", "What=/dev/vda", true },
		{ "/etc/systemd/system/x.swap", "What=/dev/vda", true },
		{ "/etc/systemd/system.control/x.mount", "What=/dev/vda", true },
		{ "/etc/systemd/system.attached/x.mount", "What=/dev/vda", true },
		{ "/usr/local/lib/systemd/system/x.mount", "What=/dev/vda", true },
		{ "/usr/lib/systemd/system/x.mount", "What=/dev/vda", true },
		{ "/usr/lib/systemd/system/tmp.mount.d/x.conf", "What=/dev/vda", true },
		{ "/etc/systemd/system/x-.mount.d/x.conf", "What=/dev/vda", true },
		{ "/etc/systemd/system/mount.d/x.conf", "What=/dev/vda", true },
		{ "/etc/systemd/system/swap.d/x.conf", "What=/dev/vda", true },
		{ "/etc/systemd/system/x.mount.d/x.bak", "What=/dev/vda", false },
		{ "/etc/systemd/system/x.service", "What=/dev/vda", false },
		{ "/etc/systemd/system/x.service.d/x.conf", "What=/dev/vda", false },
		{ "/etc/other", "What=/dev/vda", false },
	};
	char root[] = "/tmp/ccdm-unit-XXXXXX", command[600];
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(root));
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(command, sizeof(command), "f=%s%s; mkdir -p ${f%%/*} && echo '%s' >$f",
			 root, all[i].file, all[i].text);
		assert_int_equal(system(command), 0);
		if (ccdm_system_mounts(root, &err) != (all[i].counts ? -ECANCELED : 0))
			fail_msg("%s", all[i].file);
		if (all[i].counts && !strstr(err.text, all[i].file))
			fail_msg("%s: %s", all[i].file, err.text);
		snprintf(command, sizeof(command), "rm -r %s/*", root);
		assert_int_equal(system(command), 0);
	}
	assert_int_equal(ccdm_system_mounts(root, &err), 0);
	/* a file that cannot be read is an error */
	snprintf(command, sizeof(command), "mkdir -p %s/etc/fstab", root);
	assert_int_equal(system(command), 0);
	assert_int_equal(ccdm_system_mounts(root, &err), -EISDIR);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),	   cmocka_unit_test(workload), cmocka_unit_test(bad),
		cmocka_unit_test(damaged), cmocka_unit_test(cmdline),  cmocka_unit_test(direct),
		cmocka_unit_test(stub),	   cmocka_unit_test(extra),    cmocka_unit_test(options),
		cmocka_unit_test(mounts),  cmocka_unit_test(units),    cmocka_unit_test(systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
