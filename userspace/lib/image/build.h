/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The ccdm authors */
/*
 * build.h - the steps from a container image or a root tree to a disk
 *
 *	ccdm_build_begin()	programs, date, working folder
 *	ccdm_build_tree()	a folder becomes the base; or instead:
 *	ccdm_build_base()	the base is a finished one,
 *	ccdm_build_oci()	and a container image becomes the workload
 *	ccdm_build_uki()	ccdm.conf, initrd, UKI
 *	ccdm_build_disk()	EFI system partition, partition table
 *	ccdm_build_place()	the finished files get their names
 *	ccdm_build_end()	always: removes the working folder
 *
 * All steps work in a temporary folder next to the output; ccdm_build_end() removes it. The same
 * input gives the same bytes: no step uses the time, a random number, or a setting of the machine.
 */
#ifndef CCDM_BUILD_H
#define CCDM_BUILD_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/compiler.h"
#include "base/err.h"
#include "boot/config.h"
#include "crypto/digest.h"
#include "base.h"
#include "disk_write.h"
#include "format.h"
#include "hashtree.h"
#include "layers.h"
#include "workload.h"
#include "workload_conf.h"

#define CCDM_BUILD_INPUTS 16
#define CCDM_BUILD_PARTS  6
#define CCDM_BUILD_ROOM	  ((uint64_t)8 << 30) /* bytes of the scratch, unless --size says otherwise */
#define CCDM_BUILD_LEAST  ((uint64_t)64 << 20) /* bytes of the scratch, at least */

/* Files of the initrd's last part, in addition to ccdm.conf. */
#define CCDM_BUILD_CA	  "/etc/ccdm/ca.pem"
#define CCDM_BUILD_CA_MAX 65536
#define CCDM_BUILD_SIGNER "/etc/ccdm/signer.pem"

/* What --debug adds to the kernel's command line. */
#define CCDM_BUILD_DEBUG_WORDS \
	" loglevel=7 systemd.journald.forward_to_console=1 systemd.debug_shell=/dev/ttyS0"

/* Files that a build makes, with the disk. */
enum ccdm_build_file {
	CCDM_BUILD_DISK,
	CCDM_BUILD_EFI,
	CCDM_BUILD_MANIFEST,
	CCDM_BUILD_POLICY,
	CCDM_BUILD_JSON,
	CCDM_BUILD_FILES
};

/**
 * struct ccdm_build_ask - the options of a build
 * @output: path of the disk; the other files are named after it
 * @tree: a root file system, or NULL
 * @base: folder of a base, with @oci; or NULL
 * @oci: container image; @image: the name of the one to take, or NULL
 * @config: workload.yaml, or NULL
 * @product: name of the product, or NULL: of workload.yaml, or of the container image
 * @svn: its security version; -1: of workload.yaml
 * @stub: stub of the UKI, or NULL: that of the tree, or of this machine
 * @broker, @ca: URL, and file of the CA's certificate; or NULL
 * @signer: file of the public key that is measured, PEM, or NULL
 * @signing_key: file of the private key whose public half is measured, PEM, or NULL
 * @tpm: "required", "optional", "off", or NULL: required
 * @size: of the disk in bytes; 0: content and CCDM_BUILD_ROOM
 * @kind: file format of the disk
 * @secureboot_key, @secureboot_cert: files in PEM for a signature of the UKI, or NULL
 * @debug: the console shows logs, and has a shell
 * @step: called with the progress of a stage; may be NULL
 * @arg: argument of the callback
 */
struct ccdm_build_ask {
	const char *output;
	const char *tree;
	const char *base;
	const char *oci;
	const char *image;
	const char *config;
	const char *product;
	int64_t svn;
	const char *stub;
	const char *broker;
	const char *ca;
	const char *signer;
	const char *signing_key;
	const char *tpm;
	uint64_t size;
	enum ccdm_format kind;
	const char *secureboot_key;
	const char *secureboot_cert;
	bool debug;
	void (*step)(void *arg, const char *stage, uint64_t done, uint64_t all);
	void *arg;
};

/**
 * struct ccdm_build_input - something that went into the image
 * @name: "kernel"
 * @sha256: of it, hex
 */
struct ccdm_build_input {
	const char *name;
	char sha256[65];
};

/**
 * struct ccdm_build - a build
 * @ask: its options
 * @date: seconds since 1970, for all times in the image
 * @work: the working folder, or NULL
 * @base_file, @hash_file: file system of the base, and its hash tree
 * @base: the hash tree; its root hash is in ccdm.conf
 * @from: the finished base, or NULL
 * @workload: workload.yaml, with a container image
 * @product, @svn: of the image; "" if there is no name
 * @image: digest of the container image
 * @count: numbers of the entries in its layers
 * @said: array of warnings, or NULL
 * @root_file: file system and hash tree of the workload; "" without one
 * @root: its hash tree
 * @kernel, @initrd, @stub, @release: what the UKI is made of
 * @packed: the initrd was packed here
 * @uname: version of the kernel
 * @cmdline: of the kernel
 * @signer: PEM of the public key that is measured, or NULL
 * @own_conf: ccdm.conf of the tree, or NULL
 * @conf: text of ccdm.conf of the image, or NULL
 * @uki_size, @uki_digest: of the UKI; the digest leaves a signature out (Authenticode, SHA-256)
 * @parts, @part: the partitions, in the order of the disk; @uuid: their GUIDs
 * @disk_uuid, @disk_size: of the disk
 * @inputs, @input: what went in
 * @there: the files that are made, in the working folder
 */
struct ccdm_build {
	const struct ccdm_build_ask *ask;
	int64_t date;
	char *work;
	char base_file[PATH_MAX];
	char hash_file[PATH_MAX];
	struct ccdm_hashtree base;
	struct ccdm_base *from;
	struct ccdm_workload workload;
	char product[65];
	int64_t svn;
	struct ccdm_digest image;
	struct ccdm_layers_count count;
	json_t *said;
	char root_file[PATH_MAX];
	struct ccdm_hashtree root;
	char kernel[PATH_MAX];
	char initrd[PATH_MAX];
	char stub[PATH_MAX];
	char release[PATH_MAX];
	bool packed;
	char uname[128];
	char cmdline[2048];
	char *signer;
	char *own_conf;
	size_t own_conf_size;
	char *conf;
	uint64_t uki_size;
	struct ccdm_digest uki_digest;
	unsigned int parts;
	struct ccdm_disk_part part[CCDM_BUILD_PARTS];
	char uuid[CCDM_BUILD_PARTS][37];
	char disk_uuid[37];
	uint64_t disk_size;
	unsigned int inputs;
	struct ccdm_build_input input[CCDM_BUILD_INPUTS];
	bool there[CCDM_BUILD_FILES];
};

/* Return: 0, -ENOENT if a program is missing, -EINTR, -ENOMEM, errors of mkdir(2). */
int __must_check ccdm_build_begin(struct ccdm_build *b, const struct ccdm_build_ask *ask,
				  struct ccdm_err *err);

/*
 * build_tree.c: the tree becomes the base. Return: 0, -EINVAL for a tree without what a boot needs,
 * -ENOSPC, -EACCES, -EINTR, -EIO.
 */
int __must_check ccdm_build_tree(struct ccdm_build *b, struct ccdm_err *err);

/*
 * build_oci.c: the base is a finished one. Return: 0, -EINVAL for a base that is not valid, -ENOMEM,
 * errors of open(2) and read(2).
 */
int __must_check ccdm_build_base(struct ccdm_build *b, struct ccdm_err *err);

/*
 * build_oci.c: the container image becomes the workload; sets @b->conf, too. Return: 0, -EINVAL for an
 * unusable image or workload.yaml, -ENOSPC, -EINTR, -ENOMEM, -EIO.
 */
int __must_check ccdm_build_oci(struct ccdm_build *b, struct ccdm_err *err);

/* build_uki.c. Return: 0, -EINVAL for an unusable input, -ENOSPC, -EINTR, -ENOMEM. */
int __must_check ccdm_build_uki(struct ccdm_build *b, struct ccdm_err *err);

/* build_disk.c. Return: 0, -ENOSPC, -EINTR, -EIO. */
int __must_check ccdm_build_disk(struct ccdm_build *b, struct ccdm_err *err);

/*
 * Convert the disk to its format, and move all files to their final names. Return: 0, -ENOSPC,
 * -EINTR, -EIO.
 */
int __must_check ccdm_build_place(struct ccdm_build *b, struct ccdm_err *err);
void ccdm_build_end(struct ccdm_build *b);

/* The path of a file in the working folder, of PATH_MAX bytes. */
void ccdm_build_made(const struct ccdm_build *b, enum ccdm_build_file file, char *path);

/* The final path of the file: the output, or the output with another ending; of PATH_MAX bytes. */
void ccdm_build_named(const struct ccdm_build_ask *ask, enum ccdm_build_file file, char *path);

/* The version of program @number, and its name. Return: NULL after the last. */
const char *ccdm_build_tool(unsigned int number, const char **version);

/* ---- for the steps ---------------------------------------------------------------------- */

/* A path in the working folder. */
void ccdm_build_path(const struct ccdm_build *b, const char *name, char path[PATH_MAX]);

/* Note an input: a digest, or a file, whose digest is computed. Return: 0, errors of read(2). */
void ccdm_build_input(struct ccdm_build *b, const char *name, const struct ccdm_digest *digest);
int __must_check ccdm_build_input_file(struct ccdm_build *b, const char *name, const char *file,
				       struct ccdm_err *err);

/*
 * Set the product to the first @n bytes of @name, with "-debug" if the image is for debugging.
 * Return: 0; -EINVAL if a policy cannot name it.
 */
int __must_check ccdm_build_product(struct ccdm_build *b, const char *name, size_t n,
				    struct ccdm_err *err);

/* Show the progress. Return: 0, -EINTR if a signal came. */
int __must_check ccdm_build_step(const struct ccdm_build *b, const char *stage, uint64_t done,
				 uint64_t all, struct ccdm_err *err);

/*
 * build_conf.c: ccdm.conf of an image whose base is a tree, with the settings of @b->own_conf. Sets
 * @b->conf and @b->cmdline. Return: 0, -EINVAL, -ENOMEM.
 */
int __must_check ccdm_build_conf(struct ccdm_build *b, struct ccdm_err *err);

/*
 * build_dracut.c: an initrd by the tree's dracut, as root. Sets @b->initrd. Return: 0, -EACCES,
 * -ENOSPC, -EINTR, -EIO.
 */
int __must_check ccdm_build_dracut(struct ccdm_build *b, struct ccdm_err *err);

/*
 * build_dracut.c: repack an initrd: leave out the files that the image adds itself, and everything
 * that differs between two runs of dracut. Sets @b->initrd. Return: 0, -EINVAL, -ENOSPC, -ENOMEM.
 */
int __must_check ccdm_build_initrd(struct ccdm_build *b, const char *file, struct ccdm_err *err);

/* As ccdm_file_read(), with memory for the file alone. */
int __must_check ccdm_build_read(const char *file, size_t max, char **bytes, size_t *size,
				 struct ccdm_err *err);

/* GUIDs of the partitions that ccdm.conf names. Return: 0, -EIO. */
int __must_check ccdm_build_base_guid(const struct ccdm_hashtree *tree, const char *name,
				      char text[37]);

#endif
