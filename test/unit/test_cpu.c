/*
 * test_cpu.c
 *	  The choice of an instruction set: never above the limit, never above the machine.
 */
#include "tap.h"

#include "core/cpu.h"

int
main(void)
{
	CpuLevel	best = cpu_level(CPU_BEST);

	tap_ok(best >= CPU_PORTABLE && best <= CPU_AVX512, "the machine has a level");
	printf("# this machine: %s\n", cpu_level_name(best));
	tap_ok(cpu_level(CPU_PORTABLE) == CPU_PORTABLE, "portable is everywhere");
	for (CpuLevel limit = CPU_PORTABLE; limit <= CPU_AVX512; limit++)
		tap_ok(cpu_level(limit) == (limit < best ? limit : best), "limit %s",
			   cpu_level_name(limit));
	return tap_done();
}
