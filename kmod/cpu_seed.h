/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright The ccdm authors */
/*
 * cpu_seed.h - words of the CPU's own random generator
 *
 * Only instructions of the CPU: arch_get_random_seed_longs() of arm64 first asks the firmware,
 * which in a VM may be the host.
 */
#ifndef CCDM_CPU_SEED_H
#define CCDM_CPU_SEED_H

#include <linux/types.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#define CCDM_CPU_RETRIES	64

#if defined(CONFIG_X86_64)

static inline bool ccdm_have_rdseed(void)
{
	return boot_cpu_has(X86_FEATURE_RDSEED);
}

static inline bool ccdm_have_rdrand(void)
{
	return boot_cpu_has(X86_FEATURE_RDRAND);
}

/* The 64-bit forms only: the short forms of RDSEED fail on some AMD CPUs. */
static bool ccdm_rdseed(u64 *v)
{
	unsigned int i;
	bool ok;

	for (i = 0; i < CCDM_CPU_RETRIES; i++) {
		asm volatile("rdseed %0; setc %1" : "=r" (*v), "=qm" (ok) : : "cc");
		if (ok)
			return true;
		cpu_relax();
	}
	return false;
}

static bool ccdm_rdrand(u64 *v)
{
	unsigned int i;
	bool ok;

	for (i = 0; i < CCDM_CPU_RETRIES; i++) {
		asm volatile("rdrand %0; setc %1" : "=r" (*v), "=qm" (ok) : : "cc");
		if (ok)
			return true;
		cpu_relax();
	}
	return false;
}

#elif defined(CONFIG_ARM64)

#include <asm/hwcap.h>
#include <asm/sysreg.h>

static inline bool ccdm_have_rdseed(void)
{
	return cpu_have_named_feature(RNG);
}

/* RNDR is not a substitute for RNDRRS: its generator need not be seeded again for each word. */
static inline bool ccdm_have_rdrand(void)
{
	return false;
}

static bool ccdm_rdseed(u64 *v)
{
	unsigned int i;
	bool ok;

	for (i = 0; i < CCDM_CPU_RETRIES; i++) {
		/* It sets the flag Z if there is no word. */
		asm volatile(__mrs_s("%0", SYS_RNDRRS_EL0) "\n\tcset %w1, ne"
			     : "=r" (*v), "=r" (ok) : : "cc");
		if (ok)
			return true;
		cpu_relax();
	}
	return false;
}

static bool ccdm_rdrand(u64 *v)
{
	return false;
}

#else
#error "ccdm draws its keys from the CPU's generator: x86-64 and arm64 only"
#endif

#endif /* CCDM_CPU_SEED_H */
