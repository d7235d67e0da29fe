// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/* signature_magic.c - formats that are known by a few bytes at one place; see signature.h */
#include <string.h>
#include "signature.h"

/**
 * struct ccdm_signature - a magic value
 * @name: what has it there
 * @at: where, from the beginning of the device
 * @magic: the bytes
 * @size: their number
 *
 * The places are those of the formats' own headers, as the kernel and libblkid have them. A value has
 * at least 24 bits, since an earlier mapping leaves random bytes: two bytes would be found by chance.
 */
struct ccdm_signature {
	const char *name;
	uint32_t at;
	const char *magic;
	size_t size;
};

#define MAGIC(name, at, magic)                     \
	{                                          \
		name, at, magic, sizeof(magic) - 1 \
	}

static const struct ccdm_signature ccdm_signatures[] = {
	MAGIC("crypto_LUKS crypto", 0, "LUKS\xba\xbe"),
	MAGIC("BitLocker crypto", 3, "-FVE-FS-"),
	MAGIC("cs_fvault2 crypto", 88, "CS\1\0\0\0"),
	MAGIC("DM_verity_hash crypto", 0, "verity\0\0"),
	MAGIC("DM_integrity crypto", 0, "integrt\0"),
	MAGIC("gpt partition table", 512, "EFI PART"),
	MAGIC("gpt partition table", 4096, "EFI PART"),
	MAGIC("bsd partition table", 512, "\x57\x45\x56\x82"),
	MAGIC("sgi partition table", 0, "\x0b\xe5\xa9\x41"),
	MAGIC("aix partition table", 0, "\xc9\xc2\xd4\xc1"),
	MAGIC("mac partition table", 512, "PM\0\0"),
	MAGIC("mac partition table", 2048, "PM\0\0"),
	MAGIC("xfs file system", 0, "XFSB"),
	MAGIC("xfs_external_log other", 0, "\xfe\xed\xba\xbe"),
	MAGIC("btrfs file system", 0x10040, "_BHRfS_M"),
	MAGIC("bcache other", 0x1018,
	      "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
	MAGIC("bcachefs file system", 0x1018,
	      "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	MAGIC("bcachefs file system", 0x200018,
	      "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"),
	MAGIC("f2fs file system", 0x400, "\x10\x20\xf5\xf2"),
	MAGIC("f2fs file system", 0x1400, "\x10\x20\xf5\xf2"),
	MAGIC("erofs file system", 0x400, "\xe2\xe1\xf5\xe0"),
	MAGIC("squashfs file system", 0, "hsqs"),
	MAGIC("squashfs3 file system", 0, "sqsh"),
	MAGIC("cramfs file system", 0, "\x45\x3d\xcd\x28"),
	MAGIC("cramfs file system", 0, "\x28\xcd\x3d\x45"),
	MAGIC("romfs file system", 0, "-rom1fs-"),
	MAGIC("zonefs file system", 0, "SFOZ"),
	MAGIC("ubifs file system", 0, "\x31\x18\x10\x06"),
	MAGIC("ubi raid", 0, "UBI#"),
	MAGIC("nilfs2 file system", 0x400, "\x02\0\0\0\0\0\x34\x34"),
	MAGIC("jfs file system", 0x8000, "JFS1"),
	MAGIC("reiserfs file system", 0x2034, "ReIsEr"),
	MAGIC("reiserfs file system", 0x2014, "ReIsErFs"),
	MAGIC("reiserfs file system", 0x10034, "ReIsEr"),
	MAGIC("reiser4 file system", 0x10000, "ReIsEr4"),
	MAGIC("apfs file system", 32, "NXSB"),
	MAGIC("hfsplus file system", 0x400, "H+\0\4"),
	MAGIC("hfsplus file system", 0x400, "HX\0\5"),
	MAGIC("ntfs file system", 3, "NTFS    "),
	MAGIC("ReFS file system", 0, "\0\0\0ReFS\0"),
	MAGIC("exfat file system", 3, "EXFAT   "),
	MAGIC("vfat file system", 82, "FAT32   "),
	MAGIC("vfat file system", 82, "MSWIN"),
	MAGIC("vfat file system", 54, "FAT1"),
	MAGIC("vfat file system", 54, "FAT     "),
	MAGIC("vfat file system", 54, "MSDOS"),
	MAGIC("iso9660 file system", 0x8001, "CD001"),
	MAGIC("iso9660 file system", 0x8009, "CDROM"),
	MAGIC("udf file system", 0x8001, "BEA01"),
	MAGIC("udf file system", 0x8001, "NSR0"),
	MAGIC("gfs2 file system", 0x10000, "\x01\x16\x19\x70"),
	MAGIC("ocfs file system", 0x2000, "OracleCFS"),
	MAGIC("ocfs2 file system", 0x400, "OCFSV2"),
	MAGIC("ocfs2 file system", 0x800, "OCFSV2"),
	MAGIC("ocfs2 file system", 0x1000, "OCFSV2"),
	MAGIC("ocfs2 file system", 0x2000, "OCFSV2"),
	MAGIC("oracleasm other", 32, "ORCLDISK"),
	MAGIC("VMFS file system", 0x200000, "\x5e\xf1\xab\x2f"),
	MAGIC("VMFS_volume_member raid", 0x100000, "\x0d\xd0\x01\xc0"),
	MAGIC("vxfs file system", 0x400, "\xf5\xfc\x01\xa5"),
	MAGIC("vxfs file system", 0x2000, "\xa5\x01\xfc\xf5"),
	MAGIC("hpfs file system", 0x2000, "\x49\xe8\x95\xf9"),
	MAGIC("befs file system", 0x20, "BFS1"),
	MAGIC("befs file system", 0x20, "1SFB"),
	MAGIC("befs file system", 0x220, "BFS1"),
	MAGIC("befs file system", 0x220, "1SFB"),
	MAGIC("bfs file system", 0, "\xce\xfa\xad\x1b"),
	MAGIC("exfs file system", 0, "EXFS"),
	MAGIC("nss file system", 0x1000, "SPB5"),
	MAGIC("scoutfs file system", 0x10004, "\x8b\x42\x3c\x10"),
	MAGIC("mpool file system", 0, "mpoolDev"),
	MAGIC("ceph_bluestore other", 0, "bluestore block device"),
	MAGIC("LVM2_member raid", 0, "LABELONE"),
	MAGIC("LVM2_member raid", 512, "LABELONE"),
	MAGIC("LVM2_member raid", 1024, "LABELONE"),
	MAGIC("LVM2_member raid", 1536, "LABELONE"),
	MAGIC("LVM1_member raid", 0, "HM\1\0"),
	MAGIC("LVM1_member raid", 0, "HM\2\0"),
	MAGIC("DM_snapshot_cow other", 0, "SnAp"),
	MAGIC("stratis raid", 516, "!Stra0tis\x86\xff\x02^\x41rh"),
	MAGIC("stratis raid", 4612, "!Stra0tis\x86\xff\x02^\x41rh"),
	MAGIC("vdo other", 0, "dmvdo001"),
	MAGIC("drbdmanage_control_volume other", 0, "$DRBDmgr=q"),
	MAGIC("drbdproxy_datalog file system", 0, "DRBDdlh*"),
	MAGIC("linux_raid_member raid", 0, "\xfc\x4e\x2b\xa9"),
	MAGIC("linux_raid_member raid", 4096, "\xfc\x4e\x2b\xa9"),
	MAGIC("hpt37x_raid_member raid", 4640, "\xf0\x16\x78\x5a"),
	MAGIC("hpt37x_raid_member raid", 4640, "\xfd\x16\x78\x5a"),
	MAGIC("swsuspend other", 0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"),
};

const char *ccdm_signature_magic(const struct ccdm_content *content)
{
	const struct ccdm_signature *s;
	const uint8_t *p;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ccdm_signatures); i++) {
		s = &ccdm_signatures[i];
		p = ccdm_content_at(content, s->at, s->size);
		if (p && !memcmp(p, s->magic, s->size))
			return s->name;
	}
	return NULL;
}
