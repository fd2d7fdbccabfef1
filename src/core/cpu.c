/*
 * cpu.c
 *	  What the processor can do.
 */
#include "core/cpu.h"

/* What there is, whatever the limit. */
static CpuLevel
cpu_detect(void)
{
#ifdef CPU_X86
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
		!__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("popcnt"))
		return CPU_PORTABLE;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vbmi"))
		return CPU_AVX512;
	return CPU_AVX2;
#else
	return CPU_PORTABLE;
#endif
}

CpuLevel
cpu_level(CpuLevel limit)
{
	CpuLevel	level = cpu_detect();

	return limit != CPU_BEST && limit < level ? limit : level;
}

const char *
cpu_level_name(CpuLevel level)
{
	switch (level)
	{
		case CPU_AVX2:
			return "avx2";
		case CPU_AVX512:
			return "avx512";
		default:
			return "portable";
	}
}
