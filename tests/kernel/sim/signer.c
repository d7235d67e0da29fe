// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * signer - the processor of a simulated TEE, outside of the guest
 *
 *	signer snp|tdx TRUST SOCKET...
 *
 * Makes a chain of keys, and writes what a broker needs to trust it into TRUST, in the form of
 * ccdm-brokerd's trust/. Then it serves VMs, each at its own socket. QEMU connects there for the
 * second serial port, and tests/kernel/sim/sim.c uses that port in the guest. The guest only
 * supplies the data that a report is bound to; the signer decides what the report says about the
 * guest.
 *
 * Lines on standard input set what is true of a VM from then on: "NUMBER MEASUREMENT [WORD]". WORD
 * is "empty" or "short": answers of no bytes or of ten; "debug": a guest that allows debugging;
 * "forged": an invalid signature; "bare": no certificates. A line "NUMBER svsm FILE" puts an SVSM
 * below the VM's kernel. Its TPM has the EK in FILE, a SubjectPublicKeyInfo; without FILE the SVSM
 * has no TPM. Its report is of VMPL 0 or, with the word "level", of VMPL 1.
 *
 * A request is "CCDM", a letter, a byte and 64 bytes of data. "R": a report of this privilege
 * level, bound to the data; "E": extend the RTMR of this number by a digest; "M": the measurements;
 * "T": the manifest of an SVSM's TPM; "S": a report of the SVSM, bound to the data and to this
 * manifest. Firmware prints to each serial port, so bytes before "CCDM" are ignored. An answer is
 * two lengths of 32 bits, little-endian, and the bytes: report or quote, and certificates.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/bytes.h"
#include "forge_activation.h"
#include "forge_snp.h"
#include "forge_tdx.h"

#define VMS	8
#define REQUEST 70
#define MARK	"CCDM"
#define AT	4 /* offset of the letter */
#define HASH	48
#define TABLE	0x5000 /* bytes; more than sev-guest has room for */

struct vm {
	uint8_t measurement[HASH];
	char word[16];
	int listens, fd;
	uint8_t request[REQUEST];
	size_t have;
	uint8_t rtmr[4][HASH]; /* reset at each start of the VM */
	uint8_t manifest[1024];
	size_t manifest_size; /* 0: no SVSM */
};

static struct vm vms[VMS];
static unsigned int nr_vms;
static bool is_tdx;
static X509 *ark, *ask;
static struct tdx_chain tdx;

static void die(const char *what)
{
	fprintf(stderr, "signer: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- files for a broker ------------------------------------------------------------- */

static FILE *trust_file(const char *dir, const char *sub, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	if (mkdir(path, 0700) && errno != EEXIST)
		die(path);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, name);
	f = fopen(path, "w");
	if (!f)
		die(path);
	return f;
}

static void trust_pem(const char *dir, const char *sub, const char *name, X509 *cert, X509_CRL *crl)
{
	struct pki_pem pem = pki_pem(cert, crl);
	FILE *f = trust_file(dir, sub, name);

	fwrite(pem.text, 1, pem.size, f);
	fclose(f);
	X509_CRL_free(crl);
}

static void snp_make(const char *trust)
{
	static const struct spoil good;
	uint8_t raw[CCDM_SNP_REPORT_SIZE];
	X509 *leaf;
	struct pki_want w = { .cn = "ARK-Milan", .key = ark_key, .ca = true, .serial = 1 };

	ark = pki_cert(&w);
	w = (struct pki_want){ .cn = "SEV-Milan",
			       .key = ask_key,
			       .issuer = ark,
			       .issuer_key = ark_key,
			       .ca = true,
			       .serial = 2 };
	ask = pki_cert(&w);
	trust_pem(trust, "roots", "ark.pem", ark, NULL);
	make_report(&good, NULL, raw);
	leaf = make_leaf(&good, raw, ask);
	trust_pem(trust, "beside", "vcek.pem", leaf, NULL);
	X509_free(leaf);
	trust_pem(trust, "certs", "ask.pem", ask, pki_crl(ark, ark_key, NULL, NULL, 77));
}

static void tdx_make(const char *trust)
{
	static const struct tdx_spoil good = { .tcb_next = "2039-01-01T00:00:00Z",
					       .qe_next = "2039-01-01T00:00:00Z" };
	struct ccdm_collateral c = { 0 };
	FILE *f;

	tdx_chain_make(&good, &tdx);
	tdx_tcb(&good, &c);
	tdx_qe(&good, &c);
	trust_pem(trust, "roots", "intel.pem", tdx.root, NULL);
	f = trust_file(trust, "collateral", "0a0b0c0d0e0f.json");
	json_dumpf(tdx_bundle(&tdx, &c), f, 0);
	fclose(f);
}

/* ---- answers ------------------------------------------------------------------------ */

static void put32(uint8_t *at, uint32_t n)
{
	at[0] = n;
	at[1] = n >> 8;
	at[2] = n >> 16;
	at[3] = n >> 24;
}

static bool says(const struct vm *vm, const char *word)
{
	return !strcmp(vm->word, word);
}

/* The host's certificate table: one entry, the VCEK, then the end. */
static size_t snp_table(X509 *leaf, uint8_t *table)
{
	static const uint8_t vcek[16] = { 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45,
					  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd };
	uint8_t *der = table + 48;
	int n;

	memset(table, 0, 48);
	memcpy(table, vcek, 16);
	n = i2d_X509(leaf, &der);
	put32(table + 16, 48);
	put32(table + 20, n);
	return 48 + n;
}

/* @data: the report is bound to it */
static size_t snp_report(const struct vm *vm, unsigned int vmpl, const uint8_t *data, uint8_t *out,
			 uint8_t *table, size_t *table_size)
{
	struct spoil s = { .measurement = vm->measurement,
			   .vmpl = vmpl,
			   .debug = says(vm, "debug"),
			   .flip = says(vm, "forged") ? 0x2a0 : 0 };
	X509 *leaf;

	make_report(&s, data, out);
	leaf = make_leaf(&s, out, ask);
	*table_size = says(vm, "bare") ? 0 : snp_table(leaf, table);
	if (says(vm, "much"))
		*table_size = TABLE;
	X509_free(leaf);
	return CCDM_SNP_REPORT_SIZE;
}

static size_t svsm_report(const struct vm *vm, uint8_t *out, uint8_t *table, size_t *table_size)
{
	struct ccdm_digest d;

	pki_must(!ccdm_digest_of(CCDM_ALG_SHA512, vm->request + AT + 2, 64, vm->manifest,
				 vm->manifest_size, &d));
	return snp_report(vm, says(vm, "level"), d.bytes, out, table, table_size);
}

static size_t tdx_report(const struct vm *vm, uint8_t *out)
{
	struct tdx_spoil s = { .mrtd = vm->measurement,
			       .rtmr = vm->rtmr[0],
			       .bound = vm->request + AT + 2,
			       .flip_signature = says(vm, "forged") };

	if (says(vm, "debug")) {
		s.at = 1120;
		s.value = 1;
	}
	return tdx_quote(&s, &tdx, out);
}

static size_t extend(struct vm *vm)
{
	struct ccdm_digest d;

	if (vm->request[AT + 1] > 3)
		return 0;
	pki_must(!ccdm_digest_of(CCDM_ALG_SHA384, vm->rtmr[vm->request[AT + 1]], HASH,
				 vm->request + AT + 2, HASH, &d));
	memcpy(vm->rtmr[vm->request[AT + 1]], d.bytes, HASH);
	return 1;
}

static size_t measurements(const struct vm *vm, uint8_t *out)
{
	memcpy(out, vm->measurement, HASH);
	memcpy(out + HASH, vm->rtmr, sizeof(vm->rtmr));
	return HASH + sizeof(vm->rtmr);
}

static void answer(struct vm *vm)
{
	static uint8_t all[8 + 65536], table[TABLE];
	uint8_t *out = all + 8;
	size_t size = 0, table_size = 0, at;
	ssize_t n;

	switch (vm->request[AT]) {
	case 'R':
		size = is_tdx ? tdx_report(vm, out)
			      : snp_report(vm, vm->request[AT + 1], vm->request + AT + 2, out,
					   table, &table_size);
		if (says(vm, "empty"))
			size = 0;
		else if (says(vm, "short"))
			size = 10;
		break;
	case 'E':
		size = extend(vm);
		break;
	case 'T':
		size = vm->manifest_size;
		memcpy(out, vm->manifest, size);
		break;
	case 'S':
		size = svsm_report(vm, out, table, &table_size);
		break;
	case 'M':
		size = measurements(vm, out);
		break;
	}
	put32(all, size);
	put32(all + 4, table_size);
	memcpy(out + size, table, table_size);
	for (at = 0; at < 8 + size + table_size; at += n) {
		n = write(vm->fd, all + at, 8 + size + table_size - at);
		if (n <= 0)
			return;
	}
}

/* ---- VMs -------------------------------------------------------------------------------- */

static void vm_add(const char *path)
{
	struct vm *vm = &vms[nr_vms];
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	errno = E2BIG;
	if (nr_vms == VMS)
		die(path);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	vm->listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(vm->listens, (struct sockaddr *)&at, sizeof(at)) || listen(vm->listens, 4))
		die(path);
	vm->fd = -1;
	nr_vms++;
}

static void vm_svsm(struct vm *vm, const char *file)
{
	EVP_PKEY *ek;
	FILE *f;

	vm->manifest_size = 0;
	if (!file[0])
		return;
	f = fopen(file, "r");
	ek = f ? d2i_PUBKEY_fp(f, NULL) : NULL;
	if (!ek)
		die(file);
	fclose(f);
	vm->manifest_size = forge_manifest(ek, FORGE_EK, false, vm->manifest);
	EVP_PKEY_free(ek);
}

static void vm_is(void)
{
	char line[4096], hex[2 * HASH + 1], word[4096] = "";
	unsigned int n;

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	errno = EINVAL;
	if (sscanf(line, "%u %96s %4095s", &n, hex, word) < 2 || n >= nr_vms)
		die(line);
	if (!strcmp(hex, "svsm"))
		vm_svsm(&vms[n], word);
	else if (ccdm_unhex(hex, vms[n].measurement, HASH))
		die(line);
	else
		snprintf(vms[n].word, sizeof(vms[n].word), "%.15s", word);
	printf("%u\n", n);
	fflush(stdout);
}

static void vm_starts(struct vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	vm->fd = accept(vm->listens, NULL, NULL);
	vm->have = 0;
	memset(vm->rtmr, 0, sizeof(vm->rtmr));
}

static void vm_asks(struct vm *vm)
{
	ssize_t n = read(vm->fd, vm->request + vm->have, REQUEST - vm->have);

	if (n <= 0) {
		close(vm->fd);
		vm->fd = -1;
		return;
	}
	vm->have += n;
	while (vm->have && memcmp(vm->request, MARK, vm->have < AT ? vm->have : AT))
		memmove(vm->request, vm->request + 1, --vm->have);
	if (vm->have == REQUEST) {
		answer(vm);
		vm->have = 0;
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[2 * VMS + 1];
	unsigned int i;

	if (argc < 4) {
		fprintf(stderr, "usage: signer snp|tdx TRUST SOCKET...\n");
		return 1;
	}
	is_tdx = !strcmp(argv[1], "tdx");
	for (i = 3; i < (unsigned int)argc; i++)
		vm_add(argv[i]);
	forge_keys();
	tdx_keys_make();
	if (is_tdx)
		tdx_make(argv[2]);
	else
		snp_make(argv[2]);
	printf("ready\n");
	fflush(stdout);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		for (i = 0; i < nr_vms; i++) {
			fds[2 * i] = (struct pollfd){ .fd = vms[i].listens, .events = POLLIN };
			fds[2 * i + 1] = (struct pollfd){ .fd = vms[i].fd, .events = POLLIN };
		}
		fds[2 * nr_vms] = (struct pollfd){ .fd = 0, .events = POLLIN };
		if (poll(fds, 2 * nr_vms + 1, -1) < 0)
			die("poll");
		if (fds[2 * nr_vms].revents)
			vm_is();
		for (i = 0; i < nr_vms; i++) {
			if (fds[2 * i + 1].revents)
				vm_asks(&vms[i]);
			if (fds[2 * i].revents)
				vm_starts(&vms[i]);
		}
	}
}
