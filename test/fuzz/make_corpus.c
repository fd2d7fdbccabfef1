/*
 * make_corpus.c
 *	  Artifacts for the fuzzers to start from: make_corpus <directory>
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "forest_fixture.h"

/* A map per output: all the same. */
static void
add_calibration(const Fixture *f, uint32_t n_maps, bool isotonic, ForestArtifact *artifact)
{
	double		x[] = {0, 0.25, 0.75};
	double		y[] = {0.125, 0.25, 1};
	ForestMap	maps[8];
	ForestCalibration calibration = {.kind = isotonic ? FOREST_ISOTONIC : FOREST_SIGMOID,
		.n_maps = n_maps, .maps = maps};
	Failure		why;

	for (uint32_t k = 0; k < n_maps; k++)
		maps[k] = (ForestMap) {.a = -4, .b = 2, .x = x, .y = y, .n = 3};
	if (forest_add_calibration(f->training.host, &calibration, artifact, &why) != STATUS_OK)
		abort();
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (uint64_t seed = 0; seed < 24; seed++)
	{
		const FixtureSpec spec = {.seed = seed, .n_classes = (uint32_t[]) {2, 0, 3, 5}[seed % 4],
			.n_features = 1 + (uint32_t) seed % 6, .categories = seed % 2 == 0,
			.n_trees = 1 + (uint32_t) seed % 3, .depth = (uint32_t) seed % 5};
		char		path[4096];
		Fixture		f;
		ForestArtifact artifact;
		FILE	   *file;

		fixture_begin(&f, &spec);
		fixture_assemble(&f, f.training.host, &artifact);
		if (seed % 3 == 0 && spec.n_classes > 0)
			add_calibration(&f, spec.n_classes == 2 ? 1 : spec.n_classes, seed % 2 == 0, &artifact);
		snprintf(path, sizeof(path), "%s/%02d.model", argv[1], (int) seed);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(artifact.bytes, 1, artifact.n_bytes, file) != artifact.n_bytes ||
			fclose(file) != 0)
		{
			perror(path);
			return 1;
		}
		memory_free(f.training.host, artifact.bytes, artifact.capacity, 1);
		if (!fixture_end(&f))
			return 1;
	}
	return 0;
}
