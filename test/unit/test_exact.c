/*
 * test_exact.c
 *	  Exact sums: against integers, in any order, in any parts.
 */
#include "tap.h"
#include "test_host.h"

#include "core/exact.h"
#include "core/rng.h"

static double
sum_of(const double *terms, size_t n)
{
	ExactSum	s = {.n_pending = 0};

	for (size_t i = 0; i < n; i++)
		exact_add(&s, terms[i]);
	return exact_value(&s);
}

static void
test_values(void)
{
	static const double cancel[] = {1e300, 1, -1e300, 1e-300};
	static const double tenth[] = {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1};
	static const double even[] = {9007199254740992.0, 1};	/* 2^53 + 1: to the even */
	static const double above[] = {9007199254740992.0, 1, 5e-324};
	static const double odd[] = {9007199254740992.0, 3};
	static const double small[] = {5e-324, 5e-324, -1e-323, 1e-310, -5e-324};
	static const double large[] = {1.7976931348623157e308, 1.7976931348623157e308};
	static const double back[] = {1.7976931348623157e308, 1.7976931348623157e308, -1.7976931348623157e308};

	tap_is_real(sum_of(NULL, 0), 0, 0, "nothing is 0");
	tap_is_real(sum_of(cancel, 4), 1, 0, "what cancels is gone, what is left is there");
	tap_is_real(sum_of(cancel, 3), 1, 0, "also the last digit");
	tap_is_real(sum_of(tenth, 10), 1, 0, "ten tenths, rounded once, are 1");
	tap_is_real(sum_of(even, 2), 9007199254740992.0, 0, "halves go to the even number");
	tap_is_real(sum_of(above, 3), 9007199254740994.0, 0, "what is above a half goes up");
	tap_is_real(sum_of(odd, 2), 9007199254740996.0, 0, "halves go to the even number, up");
	tap_is_real(sum_of(small, 5), 1e-310 - 5e-324, 0, "the smallest numbers count");
	tap_ok(isinf(sum_of(large, 2)), "beyond the largest number it is infinite");
	tap_is_real(sum_of(back, 3), 1.7976931348623157e308, 0, "but not lost");
}

/* Random numbers of very different size and sign. */
static double
random_term(RngStream *stream)
{
	double		x = (double) rng_stream_below(stream, 1000003) - 500001;

	return ldexp(x, (int) rng_stream_below(stream, 600) - 300);
}

static void
test_orders(const Host *host)
{
	RngStream	stream;
	uint64_t	wrong = 0;
	uint64_t	n_rounds = test_amount(300, 20);

	rng_stream_begin(&stream, 5, RNG_METRIC, 0, 0);
	for (uint64_t round = 0; round < n_rounds; round++)
	{
		double		terms[6000];
		size_t		n = 2 + rng_stream_below(&stream, round % 10 == 0 ? 5999 : 60);
		size_t		cut = rng_stream_below(&stream, (uint32_t) n);
		ExactSum	parts[2] = {{.n_pending = 0}, {.n_pending = 0}};
		ExactSum	read;
		ByteWriter	w;
		ByteReader	r;
		double		sum;

		for (size_t i = 0; i < n; i++)
			terms[i] = random_term(&stream);
		sum = sum_of(terms, n);
		for (size_t i = n; i-- > 0;)
			exact_add(&parts[i < cut], terms[i]);
		bytes_writer_begin(&w, host, NULL);
		exact_write(&w, &parts[1]);
		bytes_reader_begin(&r, w.bytes, w.n_bytes);
		exact_read(&r, &read);
		wrong += r.failed || bytes_left(&r) > 0;
		bytes_writer_free(&w);
		exact_merge(&parts[0], &read);
		wrong += exact_value(&parts[0]) != sum;
		for (size_t i = 0; i < n; i++)
			exact_add(&parts[0], -terms[i]);
		wrong += exact_value(&parts[0]) != 0;
	}
	tap_is_int(wrong, 0, "a sum does not depend on order, parts or a way through bytes");
}

/* Negative sums have carries of their own. */
static void
test_many_terms(void)
{
	ExactSum	s = {.n_pending = 0};

	for (int i = 0; i < 10000; i++)
		exact_add(&s, -0.1);
	tap_is_real(exact_value(&s), -1000.0000000000000555, 1e-13, "carries of many terms");
	for (int i = 0; i < 10000; i++)
		exact_add(&s, 0.1);
	tap_is_real(exact_value(&s), 0, 0, "and back");
}

static void
test_products(void)
{
	ExactSum	s = {.n_pending = 0};

	tap_ok(exact_add_product(&s, 134217729, 134217729) && exact_add_product(&s, -134217728, 134217730),
		   "products");
	tap_is_real(exact_value(&s), 1, 0, "(a + 1)² - a (a + 2) = 1");
	memset(&s, 0, sizeof(s));
	tap_ok(exact_add_product3(&s, 0.1, 134217729, 134217729) &&
		   exact_add_product3(&s, -0.1, 134217728, 134217730), "products of three");
	tap_is_real(exact_value(&s), 0.1, 0, "0.1 (a + 1)² - 0.1 a (a + 2) = 0.1");
	tap_ok(!exact_add_product(&s, 1e200, 1e200) && !exact_add_product3(&s, 1e100, 1e100, 1e300) &&
		   !exact_add_product(&s, 1e308, 1), "what is not finite is not added");
	tap_is_real(exact_value(&s), 0.1, 0, "nothing of it");
}

/* Σ (y - mean)² of numbers whose squares hide it. */
static void
test_spread(void)
{
	ExactSum	a = {.n_pending = 0};
	ExactSum	b = {.n_pending = 0};
	ExactSum	c = {.n_pending = 0};
	static const double y[] = {1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 6};

	tap_ok(isnan(exact_spread(&a, &b, &c)), "nothing has no spread");
	for (int i = 0; i < 4; i++)
	{
		exact_add(&a, 1);
		exact_add_product(&b, 1, y[i]);
		exact_add_product(&c, y[i], y[i]);
	}
	tap_is_real(exact_spread(&a, &b, &c), 14, 0, "a spread far from 0");
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(&c, 0, sizeof(c));
	for (int i = 0; i < 3; i++)
	{
		exact_add(&a, 0.1 * i);
		exact_add_product(&b, 0.1 * i, 0.7);
		exact_add_product3(&c, 0.1 * i, 0.7, 0.7);
	}
	tap_is_real(exact_spread(&a, &b, &c), 0, 0, "of equal numbers it is exactly 0");
	exact_add(&a, -1);
	tap_ok(isnan(exact_spread(&a, &b, &c)), "a negative weight has none");
}

static void
test_bad_bytes(void)
{
	static const uint8_t bad[][2] = {{3, 2}, {0, 68}, {200, 255}, {0, 4}};
	ExactSum	s;
	int			refused = 0;

	for (size_t i = 0; i < 4; i++)
	{
		ByteReader	r;

		bytes_reader_begin(&r, bad[i], 2);
		exact_read(&r, &s);
		refused += r.failed;
	}
	tap_is_int(refused, 4, "bytes that are no sum are refused");
}

int
main(void)
{
	TestHost	t;

	test_host_begin(&t);
	test_values();
	test_orders(&t.host);
	test_many_terms();
	test_products();
	test_spread();
	test_bad_bytes();
	tap_ok(test_host_end(&t), "no leak");
	return tap_done();
}
