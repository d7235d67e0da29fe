// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* blobs.c - see blobs.h */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "archive.h"
#include "blobs.h"
#include "rootfs.h"

/**
 * struct ccdm_blobs_file - an open file of a folder
 */
struct ccdm_blobs_file {
	struct ccdm_blobs_file *next;
	struct ccdm_source source;
};

/**
 * struct ccdm_blobs - a folder or an archive
 * @path: as the caller gave it; for messages
 * @folder: descriptor of the folder, or -1
 * @files: of the folder, that are open
 * @file: the archive as it was given
 * @plain: the archive without compression: @file or the spool of @index
 * @index: names of the archive; @at and @size of its files are places in @plain
 */
struct ccdm_blobs {
	const char *path;
	int folder;
	struct ccdm_blobs_file *files;
	struct ccdm_source file;
	struct ccdm_source plain;
	struct ccdm_rootfs *index;
};

/* ---- archives -------------------------------------------------------------------------- */

static int ccdm_blobs_spool(const void *bytes, size_t size, void *arg, struct ccdm_err *err)
{
	return ccdm_rootfs_spool(arg, bytes, size, err);
}

/* An archive that is compressed is unpacked into the spool. */
static int ccdm_blobs_plain(struct ccdm_blobs *b, struct ccdm_err *err)
{
	uint8_t magic[4];
	int r;

	b->plain = b->file;
	if (b->file.size < sizeof(magic))
		return ccdm_err_set(err, -EINVAL, "%s: expected a container image", b->path);
	r = ccdm_source_read(&b->file, 0, magic, sizeof(magic), "its first bytes", err);
	if (r || !ccdm_archive_packed(magic, sizeof(magic)))
		return r;
	r = ccdm_archive_unpack(&b->file, 0, b->file.size, ccdm_blobs_spool, b->index, err);
	b->plain = (struct ccdm_source){ .name = b->path,
					 .fd = b->index->spool,
					 .size = b->index->spool_size };
	return r;
}

static int ccdm_blobs_entry(struct ccdm_blobs *b, const struct ccdm_archive_entry *e,
			    struct ccdm_err *err)
{
	bool link = e->hard || S_ISLNK(e->mode);
	struct ccdm_rootfs_node *folder;
	struct ccdm_rootfs_inode *inode;
	char name[CCDM_ROOTFS_NAME + 1];
	int r;

	if (!link && !S_ISREG(e->mode))
		return 0;
	if (!link && !e->whole)
		return ccdm_err_set(err, -EINVAL, "it is a sparse file");
	r = ccdm_rootfs_parent(b->index, e->path, true, &folder, name, err);
	if (r)
		return r;
	if (!folder || ccdm_rootfs_child(folder, name))
		return ccdm_err_set(err, -EINVAL, "the archive has it twice");
	inode = ccdm_rootfs_inode(link ? S_IFLNK : S_IFREG, 0, 0, 0);
	if (!inode)
		return ccdm_err_memory(err);
	inode->at = e->at;
	inode->size = e->size;
	/* a hard link names its file from the top */
	if (link &&
	    asprintf(&inode->target, "%s%s", e->hard ? "/" : "", e->link ? e->link : "") < 0) {
		inode->target = NULL;
		r = ccdm_err_memory(err);
	}
	if (!r)
		r = ccdm_rootfs_set(b->index, folder, name, inode, NULL, err);
	if (r)
		ccdm_rootfs_inode_free(inode);
	return r;
}

static int ccdm_blobs_entries(struct ccdm_blobs *b, struct ccdm_err *err)
{
	char why[sizeof(err->text)];
	struct ccdm_archive_entry e;
	struct ccdm_archive *archive;
	unsigned int count = 0;
	int r = ccdm_archive_open(&b->plain, 0, b->plain.size, &archive, err);

	while (!r && !(r = ccdm_archive_next(archive, &e, err))) {
		r = count++ == CCDM_BLOBS_ENTRIES
			    ? ccdm_err_set(err, -EINVAL, "expected at most %d entries",
					   CCDM_BLOBS_ENTRIES)
			    : ccdm_blobs_entry(b, &e, err);
		if (!r)
			continue;
		memcpy(why, err->text, sizeof(why));
		ccdm_err_text(err, "'%.200s': %.256s", e.path, why);
	}
	ccdm_archive_close(archive);
	if (r == -ENODATA)
		return 0;
	memcpy(why, err->text, sizeof(why));
	return ccdm_err_set(err, r, "%s: %s", b->path, why);
}

/* ---- opening --------------------------------------------------------------------------- */

int ccdm_blobs_open(const char *path, const char *spool_dir, uint64_t max_size,
		    struct ccdm_blobs **blobs, struct ccdm_err *err)
{
	struct ccdm_blobs *b = calloc(1, sizeof(*b));
	int r = 0;

	*blobs = NULL;
	if (!b)
		return ccdm_err_memory(err);
	b->path = path;
	b->file.fd = -1;
	b->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->folder < 0 && errno != ENOTDIR)
		r = ccdm_err_set(err, -errno, "%s: cannot open: %s", path, strerror(errno));
	if (!r && b->folder < 0) {
		r = ccdm_source_open(path, &b->file, err);
		if (!r)
			r = ccdm_rootfs_new(&b->index, spool_dir, err);
		if (!r) {
			b->index->max_size = max_size;
			r = ccdm_blobs_plain(b, err);
		}
		if (!r)
			r = ccdm_blobs_entries(b, err);
	}
	if (r)
		ccdm_blobs_close(b);
	else
		*blobs = b;
	return r;
}

void ccdm_blobs_close(struct ccdm_blobs *blobs)
{
	struct ccdm_blobs_file *f;

	if (!blobs)
		return;
	while ((f = blobs->files)) {
		blobs->files = f->next;
		ccdm_source_close(&f->source);
		free(f);
	}
	ccdm_rootfs_free(blobs->index);
	ccdm_source_close(&blobs->file);
	if (blobs->folder >= 0)
		close(blobs->folder);
	free(blobs);
}

/* ---- files ----------------------------------------------------------------------------- */

/* Of a folder. Links are followed as long as they stay inside. */
static int ccdm_blobs_file(struct ccdm_blobs *b, const char *name, struct ccdm_blob *blob,
			   struct ccdm_err *err)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	struct ccdm_blobs_file *f = calloc(1, sizeof(*f));
	struct stat st;
	int fd, r = 0;

	if (!f)
		return ccdm_err_memory(err);
	fd = (int)syscall(SYS_openat2, b->folder, name, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st))
		r = errno == EXDEV
			    ? ccdm_err_set(err, -EINVAL, "%s: %s: it leads out of the folder",
					   b->path, name)
			    : ccdm_err_set(err, -errno, "%s: %s: %s", b->path, name,
					   strerror(errno));
	else if (!S_ISREG(st.st_mode))
		r = ccdm_err_set(err, -EINVAL, "%s: %s: expected a regular file", b->path, name);
	if (r) {
		if (fd >= 0)
			close(fd);
		free(f);
		return r;
	}
	f->source = (struct ccdm_source){ .name = b->path, .fd = fd, .size = (uint64_t)st.st_size };
	f->next = b->files;
	b->files = f;
	*blob = (struct ccdm_blob){ .source = &f->source, .size = f->source.size };
	return 0;
}

int ccdm_blobs_find(struct ccdm_blobs *blobs, const char *name, struct ccdm_blob *blob,
		    struct ccdm_err *err)
{
	const struct ccdm_rootfs_node *node;

	if (blobs->folder >= 0)
		return ccdm_blobs_file(blobs, name, blob, err);
	node = ccdm_rootfs_find(blobs->index, name);
	if (!node)
		return ccdm_err_set(err, -ENOENT, "%s: %s: it is not in the archive", blobs->path,
				    name);
	if (!S_ISREG(node->inode->mode))
		return ccdm_err_set(err, -EINVAL, "%s: %s: expected a regular file", blobs->path,
				    name);
	*blob = (struct ccdm_blob){ &blobs->plain, node->inode->at, node->inode->size };
	return 0;
}

int ccdm_blobs_read(struct ccdm_blobs *blobs, const char *name, const struct ccdm_digest *digest,
		    size_t max, char **text, size_t *size, struct ccdm_err *err)
{
	struct ccdm_digest found;
	struct ccdm_blob blob;
	uint8_t *bytes = NULL;
	int r = ccdm_blobs_find(blobs, name, &blob, err);

	*text = NULL;
	*size = 0;
	if (r)
		return r;
	if (blob.size > max)
		return ccdm_err_set(err, -EFBIG,
				    "%s: %s: expected at most %zu bytes, found %" PRIu64,
				    blobs->path, name, max, blob.size);
	bytes = malloc((size_t)blob.size + 1);
	if (!bytes)
		return ccdm_err_memory(err);
	r = ccdm_source_read(blob.source, blob.at, bytes, (size_t)blob.size, name, err);
	if (!r && digest) {
		r = ccdm_digest_of(digest->alg, bytes, (size_t)blob.size, NULL, 0, &found);
		if (r)
			ccdm_err_text(err, "cannot compute a digest");
		else if (found.size != digest->size ||
			 memcmp(found.bytes, digest->bytes, found.size))
			r = ccdm_err_set(err, -EINVAL,
					 "%s: %s: its bytes do not have the digest of its name",
					 blobs->path, name);
	}
	if (r) {
		free(bytes);
		return r;
	}
	bytes[blob.size] = '\0';
	*text = (char *)bytes;
	*size = (size_t)blob.size;
	return 0;
}
