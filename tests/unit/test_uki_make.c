// SPDX-License-Identifier: Apache-2.0
// Copyright The ccdm authors
/*
 * A UKI out of a stub: what is in it, its headers, and stubs that cannot be used.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "image_test.h"
#include "image/uki.h"
#include "image/uki_make.h"

#define OPTIONAL  FORGE_PE_OPT
#define ALIGNMENT (OPTIONAL + 32) /* of sections in memory, then in the file */

static const char kernel_text[] = "a kernel";
static const char initrd_text[] = "an initrd";

static struct forge_bytes make_stub(void)
{
	static const struct forge_section sections[] = {
		{ ".text", "code", 4 },
		{ ".sbat", "sbat,1\n", 7 },
		{ ".sdmagic", "#### LoaderInfo: systemd-stub 257.13-1 ####", 44 },
	};
	struct forge_bytes stub = { 0 };

	forge_pe(&stub, sections, 3);
	forge_set(stub.p + ALIGNMENT, 4096, 4);
	forge_set(stub.p + ALIGNMENT + 4, 512, 4);
	return stub;
}

static int make(const struct forge_bytes *stub, uint8_t **bytes, size_t *size)
{
	static const struct ccdm_uki_part part[] = {
		{ ".osrel", { { "ID=test\n", 8 } }, 1 },
		{ ".cmdline", { { "root=x", 6 } }, 1 },
		{ ".linux", { { kernel_text, sizeof(kernel_text) - 1 } }, 1 },
		{ ".initrd", { { initrd_text, 2 }, { "", 0 }, { initrd_text + 2, 7 } }, 3 },
	};

	memset(&err, 0, sizeof(err));
	return ccdm_uki_make("stub.efi", stub->p, stub->size, part, 4, bytes, size, &err);
}

/* Each section has its content; those of the stub keep their places in memory. */
static void contents(void **state)
{
	static const char *const names[] = { ".text",	 ".sbat",  ".sdmagic", ".osrel",
					     ".cmdline", ".linux", ".initrd" };
	struct forge_bytes stub = make_stub();
	struct ccdm_pe before;
	struct ccdm_uki uki;
	const uint8_t *p;
	uint8_t *bytes;
	size_t size, n, i;

	(void)state;
	assert_int_equal(make(&stub, &bytes, &size), 0);
	assert_int_equal(ccdm_pe_parse("stub", stub.p, stub.size, &before, &err), 0);
	assert_int_equal(ccdm_uki_parse("uki", bytes, size, &uki, &err), 0);
	assert_int_equal(uki.version, 257);
	assert_int_equal(uki.pe.count, 7);
	for (i = 0; i < 7; i++)
		assert_string_equal(uki.pe.section[i].name, names[i]);
	for (i = 0; i < 3; i++) {
		assert_int_equal(uki.pe.section[i].virtual_at, before.section[i].virtual_at);
		assert_int_equal(uki.pe.section[i].virtual_size, before.section[i].virtual_size);
	}
	p = ccdm_uki_content(&uki, ".initrd", &n);
	assert_int_equal(n, 9);
	assert_memory_equal(p, initrd_text, 9);
	p = ccdm_uki_content(&uki, ".linux", &n);
	assert_int_equal(n, 8);
	assert_memory_equal(p, kernel_text, 8);
	free(bytes);
	forge_free(&stub);
}

/* The checksum as Microsoft's documentation computes it, in 16-bit words with carry. */
static uint32_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < size; i += 2) {
		sum += ccdm_le16(bytes + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum + (uint32_t)size;
}

static void headers(void **state)
{
	struct forge_bytes stub = make_stub();
	const struct ccdm_pe_section *s;
	struct ccdm_uki uki;
	uint32_t said, memory = 0;
	uint8_t *bytes;
	size_t size, i;

	(void)state;
	assert_int_equal(make(&stub, &bytes, &size), 0);
	assert_int_equal(ccdm_uki_parse("uki", bytes, size, &uki, &err), 0);
	for (i = 0; i < uki.pe.count; i++) {
		s = &uki.pe.section[i];
		assert_int_equal(s->virtual_at % 4096, 0);
		assert_int_equal(s->raw_at % 512, 0);
		assert_int_equal(s->raw_size % 512, 0);
		assert_true(s->virtual_at >= memory);
		memory = s->virtual_at + s->virtual_size;
	}
	/* the kernel alone is executable */
	assert_int_equal(uki.pe.section[5].flags, 0x60000020);
	assert_int_equal(uki.pe.section[6].flags, 0x40000040);
	assert_int_equal(ccdm_le32(bytes + OPTIONAL + 56), (memory + 4095) / 4096 * 4096);
	assert_int_equal(ccdm_le32(bytes + OPTIONAL + 60), uki.pe.headers_size);
	assert_int_equal(size % 512, 0);
	said = ccdm_le32(bytes + OPTIONAL + 64);
	memset(bytes + OPTIONAL + 64, 0, 4);
	assert_int_equal(said, checksum(bytes, size));
	free(bytes);
	forge_free(&stub);
}

/* The same stub gives the same bytes; what stands behind its sections is not taken over. */
static void same(void **state)
{
	struct forge_bytes stub = make_stub();
	uint8_t *first, *second;
	size_t size, again;

	(void)state;
	assert_int_equal(make(&stub, &first, &size), 0);
	forge_fill(&stub, 0x55, 333);
	assert_int_equal(make(&stub, &second, &again), 0);
	assert_int_equal(size, again);
	assert_memory_equal(first, second, size);
	free(first);
	free(second);
	forge_free(&stub);
}

static void unusable(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		unsigned int bytes;
		const char *text;
	} wrong[] = {
		{ 0, 0, 1, "begins with MZ" },
		{ FORGE_PE_AT + 4, 0x014c, 2, "expected a program for x86-64" },
		{ ALIGNMENT, 100, 4, "FileAlignment or SectionAlignment is wrong" },
		{ ALIGNMENT + 4, 0, 4, "FileAlignment or SectionAlignment is wrong" },
		{ ALIGNMENT + 4, 3 * 512, 4, "FileAlignment or SectionAlignment is wrong" },
		/* the first section begins where the longer table ends, or the order is wrong */
		{ FORGE_PE_TABLE + 12, 600, 4, "no room for more sections" },
		{ FORGE_PE_TABLE + 12, 0x2100, 4, "not in their order in memory" },
		{ FORGE_PE_TABLE, 0x6b72656e696c2eULL, 8, "has no section" },
		{ FORGE_PE_TABLE, 0x78756e696c2eULL, 8, "has a section .linux already" },
	};
	struct forge_bytes stub;
	uint8_t *bytes;
	size_t size, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		stub = make_stub();
		forge_set(stub.p + wrong[i].at, wrong[i].value, wrong[i].bytes);
		if (i == 7) {
			/* (another name is no obstacle) */
			assert_int_equal(make(&stub, &bytes, &size), 0);
			free(bytes);
		} else {
			assert_int_equal(make(&stub, &bytes, &size), -EINVAL);
			if (!strstr(err.text, wrong[i].text))
				fail_msg("%zu: %s", i, err.text);
		}
		forge_free(&stub);
	}
	stub = make_stub();
	forge_sign(&stub, 512);
	assert_int_equal(make(&stub, &bytes, &size), -EINVAL);
	assert_non_null(strstr(err.text, "it is signed"));
	forge_free(&stub);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents),
		cmocka_unit_test(headers),
		cmocka_unit_test(same),
		cmocka_unit_test(unusable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
