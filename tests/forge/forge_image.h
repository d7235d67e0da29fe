/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * forge_image.h - small disk images: a partition table, a FAT file system, a UKI, an initrd
 *
 * The code writes each field itself, so a test can spoil any of them.
 */
#ifndef CCDM_TEST_FORGE_IMAGE_H
#define CCDM_TEST_FORGE_IMAGE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "seed.h"

struct forge_bytes {
	uint8_t *p;
	size_t size;
};

static inline void forge_fill(struct forge_bytes *b, int value, size_t n)
{
	b->p = realloc(b->p, b->size + n + 1);
	memset(b->p + b->size, value, n);
	b->size += n;
}

static inline void forge_say(struct forge_bytes *b, const void *bytes, size_t n)
{
	forge_fill(b, 0, n);
	if (n)
		memcpy(b->p + b->size - n, bytes, n);
}

static inline void forge_set(uint8_t *p, uint64_t n, unsigned int bytes)
{
	while (bytes--) {
		*p++ = (uint8_t)n;
		n >>= 8;
	}
}

static inline void forge_put(struct forge_bytes *b, uint64_t n, unsigned int bytes)
{
	forge_fill(b, 0, bytes);
	forge_set(b->p + b->size - bytes, n, bytes);
}

static inline void forge_pad(struct forge_bytes *b, size_t to)
{
	forge_fill(b, 0, (to - b->size % to) % to);
}

static inline void forge_free(struct forge_bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

/* ---- programs for UEFI ---------------------------------------------------------------- */

struct forge_section {
	const char *name;
	const void *data;
	size_t size;
};

#define FORGE_PE_AT	 64			    /* offset of the signature "PE" */
#define FORGE_PE_OPT	 (FORGE_PE_AT + 24)	    /* of the optional header */
#define FORGE_PE_CERTS	 (FORGE_PE_OPT + 112 + 32)  /* of the entry for signatures */
#define FORGE_PE_TABLE	 (FORGE_PE_OPT + 112 + 128) /* of the section table */
#define FORGE_PE_ALIGNED 512

static inline void forge_pe(struct forge_bytes *b, const struct forge_section *section,
			    unsigned int count)
{
	size_t at = FORGE_PE_TABLE + 40 * count, base = b->size, memory = 0x1000;
	unsigned int i;

	at = (at + FORGE_PE_ALIGNED - 1) / FORGE_PE_ALIGNED * FORGE_PE_ALIGNED;
	forge_say(b, "MZ", 2);
	forge_fill(b, 0, 58);
	forge_put(b, FORGE_PE_AT, 4);
	forge_say(b, "PE\0\0\x64\x86", 6);
	forge_put(b, count, 2);
	forge_fill(b, 0, 12);
	forge_put(b, 112 + 128, 2);
	forge_put(b, 0x206, 2);
	forge_put(b, 0x20b, 2);
	forge_fill(b, 0, 58);
	forge_put(b, at, 4);	     /* SizeOfHeaders */
	forge_put(b, 0x12345678, 4); /* CheckSum */
	forge_fill(b, 0, 40);
	forge_put(b, 16, 4);
	forge_fill(b, 0, 128);
	for (i = 0; i < count; i++) {
		char name[9] = "";

		snprintf(name, sizeof(name), "%s", section[i].name);
		forge_say(b, name, 8);
		forge_put(b, section[i].size, 4);
		forge_put(b, memory, 4);
		forge_put(b, (section[i].size + 511) / 512 * 512, 4);
		forge_put(b, at, 4);
		forge_fill(b, 0, 16);
		at += (section[i].size + 511) / 512 * 512;
		memory += (section[i].size + 4095) / 4096 * 4096;
	}
	for (i = 0; i < count; i++) {
		forge_fill(b, 0, (512 - (b->size - base) % 512) % 512);
		forge_say(b, section[i].data, section[i].size);
	}
	forge_fill(b, 0, (512 - (b->size - base) % 512) % 512);
}

/* Add a Secure Boot signature, or bytes in its place. */
static inline void forge_sign(struct forge_bytes *b, size_t size)
{
	forge_set(b->p + FORGE_PE_CERTS, b->size, 4);
	forge_set(b->p + FORGE_PE_CERTS + 4, size, 4);
	forge_set(b->p + FORGE_PE_OPT + 64, 0x87654321, 4);
	forge_fill(b, 0x5a, size);
}

/* ---- an initrd -------------------------------------------------------------------------- */

/* Add an entry with any name, also one that leads out of the root. */
static inline void forge_cpio_inode(struct forge_bytes *b, unsigned int inode, const char *name,
				    unsigned int mode, unsigned int links, const void *data,
				    size_t size)
{
	char header[111];

	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", inode, mode, 0, 0,
		 links, 0, (unsigned int)size, 0, 0, 0, 0, (unsigned int)strlen(name) + 1, 0);
	forge_say(b, header, 110);
	forge_say(b, name, strlen(name) + 1);
	forge_pad(b, 4);
	forge_say(b, data, size);
	forge_pad(b, 4);
}

static inline void forge_cpio(struct forge_bytes *b, const char *name, unsigned int mode,
			      unsigned int links, const void *data, size_t size)
{
	forge_cpio_inode(b, 1, name, mode, links, data, size);
}

static inline void forge_cpio_end(struct forge_bytes *b)
{
	forge_cpio(b, "TRAILER!!!", 0, 1, "", 0);
}

static inline void forge_gzip(struct forge_bytes *b, const struct forge_bytes *in)
{
	z_stream z = { .next_in = in->p, .avail_in = (uInt)in->size };
	size_t room = in->size + 1024;

	deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	forge_fill(b, 0, room);
	z.next_out = b->p + b->size - room;
	z.avail_out = (uInt)room;
	deflate(&z, Z_FINISH);
	b->size -= z.avail_out;
	deflateEnd(&z);
}

static const char forge_conf[] =
	"[base]\ndevice = PARTUUID=11111111-1111-4111-8111-111111111111\n"
	"roothash = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	"salt = bb\ndata_blocks = 100\nhash_start = 1\n"
	"[root]\ndevice = gpt\n[boot]\n"
	"cmdline = root=/dev/mapper/ccdm-root rw systemd.import_credentials=no "
	"systemd.gpt_auto=no systemd.ssh_auto=no nohibernate noresume panic=0\n"
	"[measure]\ntpm = required\n";

/* Make an initrd as dracut does, and append ccdm.conf. */
static inline void forge_initrd(struct forge_bytes *b, const char *conf)
{
	struct forge_bytes inner = { 0 };

	forge_cpio(b, "early", 0100644, 1, "x", 1);
	forge_cpio_end(b);
	forge_fill(b, 0, 512 - b->size % 512);
	forge_cpio(&inner, ".", 040755, 2, "", 0);
	forge_cpio(&inner, "init", 0100755, 1, "#!/bin/sh\n", 10);
	forge_cpio(&inner, "bin", 0120777, 1, "usr/bin", 7);
	forge_cpio_end(&inner);
	forge_gzip(b, &inner);
	forge_free(&inner);
	forge_pad(b, 4);
	if (conf) {
		forge_cpio(b, "./etc", 040755, 2, "", 0);
		forge_cpio(b, "./etc/ccdm", 040755, 2, "", 0);
		forge_cpio(b, "./etc/ccdm/ccdm.conf", 0100644, 1, conf, strlen(conf));
		forge_cpio_end(b);
	}
}

/* ---- a UKI -------------------------------------------------------------------------------- */

#define FORGE_CMDLINE "root=/dev/mapper/ccdm-root rw"
#define FORGE_RELEASE "PRETTY_NAME=\"Test 1\"\nID=test\n"

static inline void forge_uki(struct forge_bytes *b, const char *version, const char *cmdline,
			     const struct forge_bytes *initrd)
{
	const struct forge_section kernel[] = { { ".text", "a kernel", 8 } };
	struct forge_bytes linux_image = { 0 };
	char magic[64];

	forge_pe(&linux_image, kernel, 1);
	snprintf(magic, sizeof(magic), "#### LoaderInfo: systemd-stub %s ####", version);
	{
		const struct forge_section all[] = {
			{ ".text", "a stub", 6 },
			{ ".sbat", "sbat,1\n", 7 },
			{ ".sdmagic", magic, strlen(magic) + 1 },
			{ ".osrel", FORGE_RELEASE, strlen(FORGE_RELEASE) },
			{ ".cmdline", cmdline, strlen(cmdline) },
			{ ".uname", "6.12", 4 },
			{ ".linux", linux_image.p, linux_image.size },
			{ ".initrd", initrd->p, initrd->size },
		};

		forge_pe(b, all, 8);
	}
	forge_free(&linux_image);
}

/* ---- a FAT file system ------------------------------------------------------------------------- */

struct forge_file {
	const char *path;
	const void *data;
	size_t size;
};

/* State while a file system is made: a cluster is one sector, a folder is one cluster. */
struct forge_fat {
	struct forge_bytes *b;
	size_t at;
	unsigned int bits, table_sectors, clusters, next;
	size_t table, root, data;
	struct {
		char path[256];
		uint32_t cluster;
		size_t used;
	} folder[16];
	unsigned int folders;
};

static inline void forge_fat_link(struct forge_fat *f, uint32_t cluster, uint32_t next)
{
	uint8_t *p = f->b->p + f->table;
	uint32_t old;

	if (f->bits == 32) {
		forge_set(p + 4 * cluster, next & 0x0fffffff, 4);
	} else if (f->bits == 16) {
		forge_set(p + 2 * cluster, next, 2);
	} else {
		p += cluster + cluster / 2;
		old = p[0] | p[1] << 8;
		forge_set(p,
			  cluster & 1 ? (old & 0xf) | (next & 0xfff) << 4
				      : (old & 0xf000) | (next & 0xfff),
			  2);
	}
}

/* Add an entry of 32 bytes, after entries of the long name if @name does not fit 8.3. */
static inline void forge_fat_entry(struct forge_fat *f, unsigned int folder, const char *name,
				   unsigned int attributes, uint32_t cluster, size_t size)
{
	static const uint8_t places[13] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	const char *dot = strrchr(name, '.');
	size_t stem = dot ? (size_t)(dot - name) : strlen(name), n = strlen(name), i;
	uint8_t entry[32] = { 0 }, sum = 0, *p;
	unsigned int k, pieces;
	size_t base = f->folder[folder].cluster ? f->data + (f->folder[folder].cluster - 2) * 512
						: f->root;

	memset(entry, ' ', 11);
	if (stem <= 8 && (!dot || strlen(dot) <= 4) &&
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") == n &&
	    (!dot || dot == strchr(name, '.'))) {
		memcpy(entry, name, stem);
		if (dot)
			memcpy(entry + 8, dot + 1, strlen(dot + 1));
		pieces = 0;
	} else {
		memcpy(entry, "LONG~1  X  ", 11);
		entry[5] = (uint8_t)('0' + f->folder[folder].used % 10);
		pieces = (unsigned int)(n + 12) / 13;
	}
	for (i = 0; i < 11; i++)
		sum = (uint8_t)((sum << 7) | (sum >> 1)) + entry[i];
	for (k = pieces; k; k--) {
		p = f->b->p + base + 32 * f->folder[folder].used++;
		memset(p, 0, 32);
		p[0] = (uint8_t)(k | (k == pieces ? 0x40 : 0));
		p[11] = 0x0f;
		p[13] = sum;
		for (i = 0; i < 13; i++) {
			size_t c = 13 * (k - 1) + i;

			forge_set(p + places[i], c < n ? (uint8_t)name[c] : c == n ? 0 : 0xffff, 2);
		}
	}
	entry[11] = (uint8_t)attributes;
	forge_set(entry + 20, cluster >> 16, 2);
	forge_set(entry + 26, cluster & 0xffff, 2);
	forge_set(entry + 28, size, 4);
	memcpy(f->b->p + base + 32 * f->folder[folder].used++, entry, 32);
}

/* Store @size bytes in a chain of clusters. Return: the first cluster */
static inline uint32_t forge_fat_data(struct forge_fat *f, const void *data, size_t size)
{
	uint32_t first = f->next, n = (uint32_t)((size + 511) / 512), i;

	for (i = 0; i < n; i++)
		forge_fat_link(f, first + i, i + 1 < n ? first + i + 1 : 0x0fffffff);
	memcpy(f->b->p + f->data + (size_t)(first - 2) * 512, data, size);
	f->next += n;
	return n ? first : 0;
}

static inline unsigned int forge_fat_folder(struct forge_fat *f, const char *path, size_t length)
{
	unsigned int i, parent = 0;
	uint32_t cluster;
	size_t slash = length;

	for (i = 0; i < f->folders; i++)
		if (strlen(f->folder[i].path) == length &&
		    !strncmp(f->folder[i].path, path, length))
			return i;
	while (slash && path[slash - 1] != '/')
		slash--;
	if (slash)
		parent = forge_fat_folder(f, path, slash - 1);
	cluster = forge_fat_data(f, "", 1);
	i = f->folders++;
	snprintf(f->folder[i].path, sizeof(f->folder[i].path), "%.*s", (int)length, path);
	f->folder[i].cluster = cluster;
	f->folder[i].used = 0;
	forge_fat_entry(f, i, ".", 0x10, cluster, 0);
	memcpy(f->b->p + f->data + (cluster - 2) * 512, ".          ", 11);
	{
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)(length - slash), path + slash);
		forge_fat_entry(f, parent, name, 0x10, cluster, 0);
	}
	return i;
}

/* Append a file system to @b. @bits: 12, 16 or 32 */
static inline void forge_fat(struct forge_bytes *b, unsigned int bits, unsigned int clusters,
			     const struct forge_file *file, unsigned int files)
{
	struct forge_fat f = {
		.b = b, .at = b->size, .bits = bits, .clusters = clusters, .next = 2
	};
	unsigned int i, reserved = bits == 32 ? 32 : 1, root = bits == 32 ? 0 : 1;
	uint8_t *p;

	f.table_sectors = (clusters + 2) * bits / 8 / 512 + 1;
	f.table = f.at + reserved * 512;
	f.root = f.table + f.table_sectors * 512;
	f.data = f.root + root * 512;
	forge_fill(b, 0, (reserved + f.table_sectors + root + clusters) * (size_t)512);
	p = b->p + f.at;
	memcpy(p, "\xeb\x3c\x90test    ", 11);
	forge_set(p + 11, 512, 2);
	p[13] = 1;
	forge_set(p + 14, reserved, 2);
	p[16] = 1;
	forge_set(p + 17, root * 16, 2);
	forge_set(p + 32, reserved + f.table_sectors + root + clusters, 4);
	forge_set(p + (bits == 32 ? 36 : 22), f.table_sectors, bits == 32 ? 4 : 2);
	forge_set(p + 510, 0xaa55, 2);
	f.folders = 1;
	if (bits == 32) {
		f.folder[0].cluster = forge_fat_data(&f, "", 1);
		forge_set(b->p + f.at + 44, f.folder[0].cluster, 4);
	}
	forge_fat_entry(&f, 0, "TEST", 0x08, 0, 0);
	for (i = 0; i < files; i++) {
		const char *slash = strrchr(file[i].path, '/');
		unsigned int folder =
			slash ? forge_fat_folder(&f, file[i].path, (size_t)(slash - file[i].path))
			      : 0;

		forge_fat_entry(&f, folder, slash ? slash + 1 : file[i].path, 0x20,
				forge_fat_data(&f, file[i].data, file[i].size), file[i].size);
	}
}

/* ---- a disk --------------------------------------------------------------------------------------- */

#define FORGE_GPT_ENTRIES 8
#define FORGE_ESP_SECTOR  8

/* Update the checksums after a change. */
static inline void forge_gpt_sum(uint8_t *disk)
{
	uint32_t n = disk[512 + 80] | disk[512 + 81] << 8;

	forge_set(disk + 512 + 88, crc32(0, disk + 1024, n * 128), 4);
	forge_set(disk + 512 + 16, 0, 4);
	forge_set(disk + 512 + 16, crc32(0, disk + 512, 92), 4);
}

static inline void forge_gpt_entry(uint8_t *p, const char *type, uint8_t uuid, uint64_t first,
				   uint64_t last)
{
	memcpy(p, type, 16);
	memset(p + 16, uuid, 16);
	forge_set(p + 32, first, 8);
	forge_set(p + 40, last, 8);
	p[56] = 'n';
}

#define FORGE_TYPE_ESP	 "\x28\x73\x2a\xc1\x1f\xf8\xd2\x11\xba\x4b\x00\xa0\xc9\x3e\xc9\x3b"
#define FORGE_TYPE_OTHER "\xaf\x3d\xc6\x0f\x83\x84\x72\x47\x8e\x79\x3d\x69\xd8\x47\x7d\xe4"

/* Make a disk with one file system and one more partition after it. */
static inline void forge_disk(struct forge_bytes *b, const struct forge_bytes *esp)
{
	uint64_t sectors = esp->size / 512, last;
	uint8_t *h;

	forge_fill(b, 0, FORGE_ESP_SECTOR * 512);
	forge_say(b, esp->p, esp->size);
	forge_fill(b, 0, 4 * 512);
	last = b->size / 512 - 1;
	h = b->p + 512;
	b->p[446 + 4] = 0xee;
	forge_set(b->p + 446 + 8, 1, 4);
	forge_set(b->p + 446 + 12, last, 4);
	forge_set(b->p + 510, 0xaa55, 2);
	memcpy(h, "EFI PART", 8);
	forge_set(h + 8, 0x10000, 4);
	forge_set(h + 12, 92, 4);
	forge_set(h + 24, 1, 8);
	forge_set(h + 32, last, 8);
	forge_set(h + 40, 4, 8);
	forge_set(h + 48, last - 1, 8);
	memset(h + 56, 0x77, 16);
	forge_set(h + 72, 2, 8);
	forge_set(h + 80, FORGE_GPT_ENTRIES, 4);
	forge_set(h + 84, 128, 4);
	forge_gpt_entry(b->p + 1024, FORGE_TYPE_ESP, 0x11, FORGE_ESP_SECTOR,
			FORGE_ESP_SECTOR + sectors - 1);
	forge_gpt_entry(b->p + 1024 + 256, FORGE_TYPE_OTHER, 0x22, FORGE_ESP_SECTOR + sectors,
			FORGE_ESP_SECTOR + sectors + 1);
	forge_gpt_sum(b->p);
}

/* Make a small disk with this UKI and the additional files @more. */
static inline void forge_image(struct forge_bytes *b, unsigned int bits,
			       const struct forge_bytes *uki, const struct forge_file *more,
			       unsigned int count)
{
	struct forge_file files[8] = { { "EFI/BOOT/BOOTX64.EFI", uki->p, uki->size } };
	struct forge_bytes esp = { 0 };
	unsigned int clusters = (unsigned int)(uki->size / 512 + 12), i;

	for (i = 0; i < count; i++) {
		files[1 + i] = more[i];
		clusters += (unsigned int)(more[i].size / 512 + 3);
	}
	if (bits > 12 && clusters < (bits == 16 ? 4085U : 65525U))
		clusters = bits == 16 ? 4085 : 65525;
	forge_fat(&esp, bits, clusters, files, 1 + count);
	forge_disk(b, &esp);
	forge_free(&esp);
}

/*
 * Write a seed of the fuzz target image_disk: the disk's size in four bytes, the disk, the log of a
 * boot.
 */
static inline void forge_seed(const struct forge_bytes *disk, const struct forge_bytes *log)
{
	struct forge_bytes b = { 0 };

	forge_put(&b, disk->size, 4);
	forge_say(&b, disk->p, disk->size);
	if (log)
		forge_say(&b, log->p, log->size);
	if (b.size < 65536)
		seed("image_disk", b.p, b.size);
	forge_free(&b);
}

/* ---- a firmware for SEV-SNP ------------------------------------------------------------------------ */

static inline void forge_ovmf_entry(struct forge_bytes *b, const void *guid, const void *data,
				    size_t size)
{
	forge_say(b, data, size);
	forge_put(b, size + 18, 2);
	forge_say(b, guid, 16);
}

#define FORGE_OVMF_SIZE 8192

/* @hashes: include a place for the hashes of a kernel */
static inline void forge_ovmf(struct forge_bytes *b, int hashes)
{
	static const struct {
		uint32_t at, size, kind;
	} section[] = { { 0x800000, 0x9000, 1 },
			{ 0x80d000, 0x1000, 2 },
			{ 0x80e000, 0x1000, 3 },
			{ 0x811000, 0x1000, 4 },
			{ 0x810000, 0x1000, 0x10 } };
	unsigned int i, n = hashes ? 5 : 4;
	struct forge_bytes table = { 0 };
	size_t metadata;

	forge_fill(b, 0xcc, 4096);
	metadata = b->size;
	forge_say(b, "ASEV", 4);
	forge_put(b, 16 + 12 * n, 4);
	forge_put(b, 1, 4);
	forge_put(b, n, 4);
	for (i = 0; i < n; i++) {
		forge_put(b, section[i].at, 4);
		forge_put(b, section[i].size, 4);
		forge_put(b, section[i].kind, 4);
	}
	if (hashes)
		forge_ovmf_entry(&table,
				 "\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef\xa8\xd4\x54",
				 "\x00\x0c\x81\x00\x00\x04\x00\x00", 8);
	forge_ovmf_entry(&table, "\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e",
			 "\x04\xb0\x80\x00", 4);
	{
		uint8_t from_end[4];

		forge_set(from_end, FORGE_OVMF_SIZE - metadata, 4);
		forge_ovmf_entry(&table,
				 "\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc",
				 from_end, 4);
	}
	forge_put(&table, table.size + 18, 2);
	forge_say(&table, "\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5\x5a\x08\x2d", 16);
	forge_fill(b, 0x90, FORGE_OVMF_SIZE - 32 - table.size - b->size);
	forge_say(b, table.p, table.size);
	forge_fill(b, 0x90, 32);
	forge_free(&table);
}

#endif
