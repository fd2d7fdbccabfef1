/*
 * test_calibration.c
 *	  Calibrated models: their section of the artifact, and what comes of
 *	  outputs, on every level and in every form.
 */
#include <stdlib.h>

#include "forest_fixture.h"
#include "tap.h"

#include "core/cpu.h"
#include "core/memory.h"
#include "forest/decode.h"

#define MAX_POINTS 20
#define MAX_MAPS 5

/* A random calibration. */
typedef struct Maps
{
	ForestCalibration calibration;
	ForestMap	maps[MAX_MAPS];
	double		x[MAX_MAPS][MAX_POINTS];
	double		y[MAX_MAPS][MAX_POINTS];
} Maps;

static double
unit(Fixture *f)
{
	return fixture_below(f, 1000001) / 1e6;
}

static void
make_maps(Fixture *f, ForestCalibrationKind kind, uint32_t n_maps, Maps *m)
{
	m->calibration = (ForestCalibration) {kind, n_maps, m->maps};
	for (uint32_t k = 0; k < n_maps; k++)
	{
		ForestMap  *map = &m->maps[k];
		size_t		n = 1 + fixture_below(f, MAX_POINTS);

		*map = (ForestMap) {.a = -8 * unit(f), .b = 4 * unit(f) - 1};
		if (kind == FOREST_SIGMOID)
			continue;
		for (size_t i = 0; i < n; i++)
		{
			m->x[k][i] = ((double) i + unit(f) / 2) / (double) n;
			m->y[k][i] = i == 0 ? unit(f) / 3 : fmin(m->y[k][i - 1] + unit(f) / 10, 1);
		}
		*map = (ForestMap) {.x = m->x[k], .y = m->y[k], .n = n};
	}
}

/* A map, as plainly as can be. */
static double
plain(const Maps *m, uint32_t k, double s)
{
	const ForestMap *map = &m->maps[k];

	if (m->calibration.kind == FOREST_SIGMOID)
		return 1 / (1 + exp(map->a * s + map->b));
	if (s <= map->x[0])
		return map->y[0];
	for (size_t i = 1; i < map->n; i++)
		if (s <= map->x[i])
			return map->y[i - 1] + (map->y[i] - map->y[i - 1]) * (s - map->x[i - 1]) /
				(map->x[i] - map->x[i - 1]);
	return map->y[map->n - 1];
}

/* The artifact of a fixture with these maps. */
static void
assemble(const Fixture *f, const Host *host, const Maps *m, ForestArtifact *out)
{
	fixture_assemble(f, host, out);
	if (forest_add_calibration(host, &m->calibration, out, NULL) != STATUS_OK)
		abort();
}

#define N_ROWS 300

/* Models of every form score rows as the maps say, in equal bits. */
static void
test_scores(ForestCalibrationKind kind, uint32_t n_classes, uint64_t seed)
{
	const FixtureSpec spec = {.seed = seed, .n_classes = n_classes, .n_features = 5,
		.categories = true, .n_trees = 9, .depth = 5};
	Fixture		f;
	Maps		m;
	ForestArtifact a;
	ForestModel *bare;
	ForestModel *models[3];
	const Host *host;
	uint32_t	n_outputs = n_classes == 2 ? 1 : n_classes;
	double	   *raw = malloc(N_ROWS * n_outputs * sizeof(double));
	double	   *expected = malloc(N_ROWS * n_outputs * sizeof(double));
	double	   *out = malloc(N_ROWS * n_outputs * sizeof(double));
	uint8_t    *rows;
	size_t		n_wrong = 0;
	double		off = 0;

	fixture_begin(&f, &spec);
	host = f.training.host;
	make_maps(&f, kind, n_outputs, &m);
	assemble(&f, host, &m, &a);
	bare = fixture_model(&f, host);
	rows = calloc(N_ROWS, bare->row_bytes);
	for (size_t i = 0; i < N_ROWS; i++)
		fixture_row(&f, rows + i * bare->row_bytes);
	forest_score(bare, rows, N_ROWS, raw);
	memcpy(expected, raw, N_ROWS * n_outputs * sizeof(double));
	forest_calibrate(&m.calibration, expected, N_ROWS);
	for (size_t i = 0; i < N_ROWS; i++)
	{
		double		sum = 0;

		for (uint32_t k = 0; k < n_outputs; k++)
			sum += plain(&m, k, raw[i * n_outputs + k]);
		for (uint32_t k = 0; k < n_outputs; k++)
			off = fmax(off, fabs(expected[i * n_outputs + k] - plain(&m, k, raw[i * n_outputs + k]) /
								 (n_outputs == 1 ? 1 : sum)));
	}
	tap_is_real(off, 0, 1e-14, "maps are what they say");

	if (forest_decode(host, a.bytes, a.n_bytes, &models[0], NULL) != STATUS_OK ||
		decode_as_nodes(host, a.bytes, a.n_bytes, &models[1], NULL) != STATUS_OK ||
		forest_open(host, a.bytes, a.n_bytes, &models[2], NULL) != STATUS_OK)
		abort();
	for (CpuLevel level = CPU_PORTABLE; level <= cpu_level(CPU_BEST); level++)
		for (int form = 0; form < 3; form++)
			for (size_t call = 1; call <= N_ROWS; call *= N_ROWS)
			{
				f.test_host.host.cpu_limit = level;
				for (size_t i = 0; i < N_ROWS; i += call)
					forest_score(models[form], rows + i * bare->row_bytes, call,
								 out + i * n_outputs);
				n_wrong += memcmp(out, expected, N_ROWS * n_outputs * sizeof(double)) != 0;
			}
	f.test_host.host.cpu_limit = CPU_BEST;
	tap_is_int(n_wrong, 0, "every form and level gives equal bits");
	tap_is_int(forest_model_calibration(models[0]), kind, "a model knows its calibration");
	tap_is_int(forest_model_calibration(bare), FOREST_UNCALIBRATED, "and that it has none");
	tap_ok(forest_model_bytes(models[0]) > forest_model_bytes(bare), "it counts");
	for (int form = 0; form < 3; form++)
		forest_model_free(models[form]);
	forest_model_free(bare);
	memory_free(host, a.bytes, a.capacity, 1);
	tap_ok(fixture_end(&f), "no leak");
	free(raw);
	free(expected);
	free(out);
	free(rows);
}

/* Where all maps of several classes say 0, none is preferred. */
static void
test_nothing(void)
{
	double		zero[] = {0};
	ForestMap	maps[] = {{.x = zero, .y = zero, .n = 1}, {.x = zero, .y = zero, .n = 1},
		{.x = zero, .y = zero, .n = 1}};
	const ForestCalibration calibration = {FOREST_ISOTONIC, 3, maps};
	double		outputs[] = {0.5, 0.25, 0.25};

	forest_calibrate(&calibration, outputs, 1);
	tap_ok(outputs[0] == 1.0 / 3 && outputs[1] == 1.0 / 3 && outputs[2] == 1.0 / 3,
		   "all zero becomes uniform");
}

static uint8_t
hex_digit(char c)
{
	return (uint8_t) (c <= '9' ? c - '0' : c - 'A' + 10);
}

/* What decoding says of a model of two (or three) classes with this section. */
static Status
decode_section(uint32_t n_classes, const char *hex, const char **text)
{
	const FixtureSpec spec = {.seed = 2, .n_classes = n_classes, .n_features = 2, .n_trees = 1,
		.depth = 2};
	static Failure why;
	Fixture		f;
	ForestArtifact a;
	ByteWriter	w;
	ForestModel *model;
	Status		status;

	fixture_begin(&f, &spec);
	fixture_assemble(&f, f.training.host, &a);
	bytes_writer_begin(&w, f.training.host, NULL);
	bytes_put(&w, a.bytes, a.n_bytes - 4);
	bytes_put_u32(&w, ARTIFACT_CALIBRATION);
	bytes_put_u32(&w, (uint32_t) strlen(hex) / 2);
	for (const char *p = hex; *p != '\0'; p += 2)
		bytes_put_u8(&w, (uint8_t) (hex_digit(p[0]) << 4 | hex_digit(p[1])));
	bytes_put_u32(&w, bytes_crc32c(0, w.bytes, w.n_bytes));
	status = forest_decode(f.training.host, w.bytes, w.n_bytes, &model, &why);
	if (status == STATUS_OK)
		forest_model_free(model);
	memory_free(f.training.host, a.bytes, a.capacity, 1);
	bytes_writer_free(&w);
	*text = status == STATUS_OK ? "" : why.text;
	return fixture_end(&f) ? status : STATUS_CANCELLED;
}

#define ZERO "0000000000000000"
#define HALF "000000000000E03F"
#define ONE "000000000000F03F"
#define TWO "0000000000000040"
#define MINUS "000000000000F0BF"
#define NOT_A_NUMBER "000000000000F87F"
#define INFINITE "000000000000F07F"

static void
test_sections(void)
{
	static const struct
	{
		const char *what;
		uint32_t	n_classes;
		const char *hex;
		const char *text;		/* "": it is good */
	}			cases[] = {
		{"a sigmoid", 2, "010100" MINUS TWO, ""},
		{"three sigmoids", 3, "010300" MINUS TWO ONE TWO ZERO ZERO, ""},
		{"points", 2, "020100" "03000000" ZERO ZERO HALF HALF ONE HALF, ""},
		{"one point", 2, "020100" "01000000" HALF ONE, ""},
		{"no kind", 2, "000100" MINUS TWO, "its calibration is of no kind"},
		{"an unknown kind", 2, "030100" MINUS TWO, "its calibration is of no kind"},
		{"cut off at once", 2, "01", "its calibration is of no kind"},
		{"two maps of two classes", 2, "010200" MINUS TWO MINUS TWO,
			"its calibration is of other classes"},
		{"one map of three classes", 3, "010100" MINUS TWO, "its calibration is of other classes"},
		{"a regression", 0, "010100" MINUS TWO, "its calibration is of other classes"},
		{"half a sigmoid", 2, "010100" MINUS, "its calibration is of other classes"},
		{"a sigmoid of no number", 2, "010100" NOT_A_NUMBER TWO, "its calibration is wrong"},
		{"an infinite sigmoid", 2, "010100" ONE INFINITE, "its calibration is wrong"},
		{"bytes behind", 2, "010100" MINUS TWO "00", "bytes follow its calibration"},
		{"no points", 2, "020100" "00000000" ZERO ZERO, "its calibration is cut off"},
		{"more points than bytes", 2, "020100" "FFFFFFFF" ZERO ZERO, "its calibration is cut off"},
		{"a point too few", 2, "020100" "02000000" ZERO ZERO HALF, "its calibration is cut off"},
		{"equal x", 2, "020100" "02000000" HALF ZERO HALF ONE, "its calibration does not rise"},
		{"falling x", 2, "020100" "02000000" ONE ZERO HALF ONE, "its calibration does not rise"},
		{"falling y", 2, "020100" "02000000" ZERO ONE HALF HALF, "its calibration does not rise"},
		{"x above 1", 2, "020100" "01000000" TWO ZERO, "its calibration does not rise"},
		{"x below 0", 2, "020100" "01000000" MINUS ZERO, "its calibration does not rise"},
		{"y above 1", 2, "020100" "01000000" ZERO TWO, "its calibration does not rise"},
		{"y of no number", 2, "020100" "01000000" ZERO NOT_A_NUMBER,
			"its calibration does not rise"},
		{"the second map is bad", 3, "020300" "01000000" ZERO HALF "01000000" ZERO TWO
			"01000000" ZERO HALF, "its calibration does not rise"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *text;
		char		expected[128] = "";
		Status		status = decode_section(cases[i].n_classes, cases[i].hex, &text);

		if (cases[i].text[0] != '\0')
			snprintf(expected, sizeof(expected), "model is damaged: %s", cases[i].text);
		tap_is_text(text, expected, "%s", cases[i].what);
		tap_is_int(status, cases[i].text[0] == '\0' ? STATUS_OK : STATUS_CORRUPT, "%s: status",
				   cases[i].what);
	}
}

/* Whatever one byte is changed to, decoding is right or refuses, and what decodes scores. */
static void
test_damage(void)
{
	const FixtureSpec spec = {.seed = 6, .n_classes = 3, .n_features = 3, .n_trees = 2, .depth = 3};
	uint64_t	rounds = test_amount(30, 2);
	Fixture		f;
	Maps		m;
	ForestArtifact a;
	size_t		bare;
	size_t		n_wrong = 0;
	const Host *host;

	fixture_begin(&f, &spec);
	host = f.training.host;
	make_maps(&f, FOREST_ISOTONIC, 3, &m);
	fixture_assemble(&f, host, &a);
	bare = a.n_bytes - 4;
	memory_free(host, a.bytes, a.capacity, 1);
	assemble(&f, host, &m, &a);
	for (size_t at = bare; at < a.n_bytes - 4; at++)
		for (uint64_t round = 0; round < rounds; round++)
		{
			uint8_t		was = a.bytes[at];
			ForestModel *model;
			uint32_t	crc;
			uint8_t		row[8];
			double		out[3];

			a.bytes[at] = (uint8_t) fixture_below(&f, 256);
			crc = bytes_crc32c(0, a.bytes, a.n_bytes - 4);
			for (int i = 0; i < 4; i++)
				a.bytes[a.n_bytes - 4 + i] = (uint8_t) (crc >> 8 * i);
			if (forest_decode(host, a.bytes, a.n_bytes, &model, NULL) == STATUS_OK)
			{
				fixture_row(&f, row);
				forest_score(model, row, 1, out);
				n_wrong += !(fabs(out[0] + out[1] + out[2] - 1) < 1e-12 && out[0] >= 0);
				forest_model_free(model);
			}
			a.bytes[at] = was;
		}
	tap_is_int(n_wrong, 0, "damaged maps are refused, or give probabilities");
	memory_free(host, a.bytes, a.capacity, 1);
	tap_ok(fixture_end(&f), "no leak");
}

typedef struct Sweep
{
	Fixture		f;
	Maps		m;
	ForestArtifact a;
} Sweep;

static Status
add_it(const Host *host, void *arg, Failure *why)
{
	const Sweep *s = arg;
	ForestArtifact copy = {.capacity = s->a.n_bytes};
	Status		status = memory_new_raw(host, s->a.n_bytes, 1, &copy.bytes, why);

	if (status != STATUS_OK)
		return status;
	memcpy(copy.bytes, s->a.bytes, s->a.n_bytes);
	copy.n_bytes = s->a.n_bytes;
	status = forest_add_calibration(host, &s->m.calibration, &copy, why);
	memory_free(host, copy.bytes, copy.capacity, 1);
	return status;
}

static Status
decode_it(const Host *host, void *arg, Failure *why)
{
	const Sweep *s = arg;
	ForestModel *model;
	Status		status = forest_decode(host, s->a.bytes, s->a.n_bytes, &model, why);

	if (status == STATUS_OK)
		forest_model_free(model);
	return status;
}

static void
test_sweeps(void)
{
	const FixtureSpec spec = {.seed = 9, .n_classes = 3, .n_features = 4, .categories = true,
		.n_trees = 3, .depth = 4};
	Sweep		s;

	fixture_begin(&s.f, &spec);
	make_maps(&s.f, FOREST_ISOTONIC, 3, &s.m);
	fixture_assemble(&s.f, s.f.training.host, &s.a);
	tap_ok(test_sweep(add_it, &s, 2, 1), "adding maps survives refusal and cancel");
	if (forest_add_calibration(s.f.training.host, &s.m.calibration, &s.a, NULL) != STATUS_OK)
		abort();
	tap_ok(test_sweep(decode_it, &s, 15, 10), "decoding them, too");
	memory_free(s.f.training.host, s.a.bytes, s.a.capacity, 1);
	tap_ok(fixture_end(&s.f), "no leak");
}

int
main(void)
{
	for (uint64_t seed = 0; seed < 4; seed++)
		for (ForestCalibrationKind kind = FOREST_SIGMOID; kind <= FOREST_ISOTONIC; kind++)
		{
			test_scores(kind, 2, seed);
			test_scores(kind, 3 + (uint32_t) seed % 3, seed);
		}
	test_nothing();
	test_sections();
	test_damage();
	test_sweeps();
	return tap_done();
}
