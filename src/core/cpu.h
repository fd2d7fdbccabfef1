/*
 * cpu.h
 *	  Which instruction set a kernel may use.
 *
 * Kernels that exist for several sets give equal results in each, to the last
 * bit, so the choice is one of speed alone.  It is made at run time: the code
 * is compiled for the baseline of its platform, and functions for more are
 * marked one by one.
 */
#ifndef CHURNOPS_CORE_CPU_H
#define CHURNOPS_CORE_CPU_H

/* In order: a processor that has one has those before it. */
typedef enum CpuLevel
{
	CPU_BEST,					/* as a limit: the best there is */
	CPU_PORTABLE,				/* the platform's baseline: plain C, SSE2 on x86-64 */
	CPU_AVX2,					/* with BMI1, BMI2 and POPCNT */
	CPU_AVX512					/* F, BW, VL, DQ and VBMI */
} CpuLevel;

/* Kernels for x86-64 are compiled where these can be said. */
#if defined(__x86_64__) && defined(__GNUC__)
#define CPU_X86
#define CPU_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))
#define CPU_TARGET_AVX512 \
	__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi")))
#endif

/* The best level that the processor and the system have, never above the limit. */
extern CpuLevel cpu_level(CpuLevel limit);

/* "portable", "avx2", "avx512" */
extern const char *cpu_level_name(CpuLevel level);

#endif
