/*
 * test_bytes.c
 *	  Writer, reader, checksum and UTF-8.
 */
#include "tap.h"
#include "test_host.h"

#include "core/bytes.h"
#include "core/memory.h"

static void
test_layout(void)
{
	static const uint8_t expected[] = {
		0x01,
		0x03, 0x02,
		0x07, 0x06, 0x05, 0x04,
		0x0F, 0x0E, 0x0D, 0x0C, 0x0B, 0x0A, 0x09, 0x08,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xF8, 0xBF, /* -1.5 */
		0x02, 0x00, 0x00, 0x00, 'h', 'i',
		'!',
	};
	TestHost	t;
	Failure		why;
	ByteWriter	w;

	test_host_begin(&t);
	bytes_writer_begin(&w, &t.host, &why);
	bytes_put_u8(&w, 0x01);
	bytes_put_u16(&w, 0x0203);
	bytes_put_u32(&w, 0);
	bytes_put_u64(&w, UINT64_C(0x08090A0B0C0D0E0F));
	bytes_put_f64(&w, -1.5);
	bytes_put_string(&w, "hi", 2);
	bytes_put(&w, "!", 1);
	bytes_put(&w, NULL, 0);
	bytes_patch_u32(&w, 3, UINT32_C(0x04050607));
	tap_is_int(w.status, STATUS_OK, "writing succeeds");
	tap_ok(w.n_bytes == sizeof(expected) && memcmp(w.bytes, expected, w.n_bytes) == 0,
		   "numbers are little-endian, the length is patched");
	bytes_writer_free(&w);
	tap_is_int(w.n_bytes, 0, "free() empties the writer");
	bytes_writer_free(&w);
	tap_ok(test_host_end(&t), "no leak");
}

static void
test_read_back(void)
{
	static const uint8_t input[] = {
		0xFE, 0x03, 0x82, 0x07, 0x06, 0x05, 0x84, 0x0F, 0x0E, 0x0D, 0x0C, 0x0B, 0x0A, 0x09, 0x88,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xF8, 0xBF, 0x02, 0x00, 0x00, 0x00, 'h', 'i', 0x09,
	};
	ByteReader	r;
	const char *text;
	size_t		n;

	bytes_reader_begin(&r, input, sizeof(input));
	tap_is_hex(bytes_get_u8(&r), 0xFE, "u8");
	tap_is_hex(bytes_get_u16(&r), 0x8203, "u16");
	tap_is_hex(bytes_get_u32(&r), 0x84050607, "u32");
	tap_is_hex(bytes_get_u64(&r), UINT64_C(0x88090A0B0C0D0E0F), "u64");
	tap_is_real(bytes_get_f64(&r), -1.5, 0, "f64");
	text = bytes_get_string(&r, &n);
	tap_ok(text != NULL && n == 2 && memcmp(text, "hi", 2) == 0, "string");
	tap_is_int(bytes_left(&r), 1, "one byte is left");
	tap_is_int(bytes_get_u16(&r), 0, "two bytes are not there");
	tap_ok(r.failed, "and the reader failed");
	tap_is_int(bytes_get_u8(&r), 0, "a failure sticks");
	tap_ok(bytes_get(&r, 0) == NULL, "even for nothing");
	tap_is_int(bytes_left(&r), 0, "nothing is left after a failure");
}

static void
test_cut_input(void)
{
	static const uint8_t long_string[] = {0xFF, 0xFF, 0xFF, 0xFF, 'x'};
	ByteReader	r;
	size_t		n = 99;

	bytes_reader_begin(&r, long_string, sizeof(long_string));
	tap_ok(bytes_get_string(&r, &n) == NULL && r.failed && n == 0, "a cut string is refused");
	bytes_reader_begin(&r, long_string, 3);
	tap_ok(bytes_get_string(&r, &n) == NULL && r.failed, "so is a cut length");
	bytes_reader_begin(&r, long_string, sizeof(long_string));
	tap_ok(bytes_get(&r, SIZE_MAX) == NULL && r.failed, "so is the largest size");
	bytes_reader_begin(&r, long_string, sizeof(long_string));
	tap_ok(bytes_get(&r, sizeof(long_string)) == long_string && !r.failed, "all of it is there");
	tap_ok(bytes_get(&r, 0) != NULL && !r.failed, "nothing can be read at the end");
	bytes_reader_begin(&r, NULL, 0);
	tap_ok(bytes_get(&r, 0) != NULL && !r.failed, "nothing can be read from nothing");
	tap_is_int(bytes_get_u64(&r), 0, "but no number");
	tap_ok(r.failed, "that fails");
}

static void
test_writer_failures(void)
{
	TestHost	t;
	Failure		why;
	ByteWriter	w;

	test_host_begin(&t);
	memset(&why, 0, sizeof(why));
	bytes_writer_begin(&w, &t.host, &why);
	bytes_put_u8(&w, 1);
	t.fail_at = 2;
	bytes_put(&w, why.text, 300);
	tap_is_int(w.status, STATUS_NO_MEMORY, "memory can be refused");
	bytes_put_u8(&w, 1);
	bytes_patch_u32(&w, 0, 1);
	tap_is_int(w.n_bytes, 1, "a failure sticks");
	tap_is_int(w.status, STATUS_NO_MEMORY, "as it was first");
	bytes_writer_free(&w);

#if SIZE_MAX > UINT32_MAX
	bytes_writer_begin(&w, &t.host, &why);
	bytes_put_string(&w, "x", (size_t) UINT32_MAX + 1);
	tap_is_int(w.status, STATUS_LIMIT, "too long a string is refused");
	bytes_put_string(&w, "x", (size_t) UINT32_MAX + 1);
	tap_is_int(w.n_bytes, 0, "and nothing of it written");
	bytes_writer_free(&w);
#endif

	bytes_writer_begin(&w, &t.host, &why);
	bytes_put_u32(&w, 1);
	bytes_patch_u32(&w, 1, 1);
	tap_is_int(w.status, STATUS_INVALID_PARAMETER, "a patch must lie in what was written");
	bytes_writer_free(&w);

	bytes_writer_begin(&w, &t.host, NULL);
	bytes_put_u8(&w, 1);
	bytes_put(&w, "x", SIZE_MAX);
	tap_is_int(w.status, STATUS_LIMIT, "sizes may not overflow");
	bytes_writer_free(&w);
	tap_ok(test_host_end(&t), "no leak");
}

/* Some hundred bytes, handed over to the caller of the writer. */
static Status
write_much(const Host *host, void *arg, Failure *why)
{
	ByteWriter	w;
	uint32_t	i;
	Status		status;

	(void) arg;
	bytes_writer_begin(&w, host, why);
	for (i = 0; i < 1000; i++)
		bytes_put_u32(&w, i);
	status = w.status;
	if (status == STATUS_OK)
		memory_free(host, w.bytes, w.capacity, 1);
	else
		bytes_writer_free(&w);
	return status;
}

/* One bit at a time, by the definition. */
static uint32_t
crc_by_bits(uint32_t crc, const uint8_t *bytes, size_t n)
{
	size_t		i;
	int			bit;

	crc = ~crc;
	for (i = 0; i < n; i++)
	{
		crc ^= bytes[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
	}
	return ~crc;
}

static void
test_crc(void)
{
	uint8_t		bytes[300];
	uint8_t		iscsi[32];
	size_t		n;
	size_t		offset;
	size_t		n_wrong = 0;

	for (n = 0; n < sizeof(bytes); n++)
		bytes[n] = (uint8_t) (n * n * 31 + n * 17 + 5);
	for (offset = 0; offset < 4; offset++)
		for (n = 0; n + offset <= sizeof(bytes); n++)
		{
			uint32_t	expected = crc_by_bits(0, bytes + offset, n);

			n_wrong += bytes_crc32c(0, bytes + offset, n) != expected;
			n_wrong += bytes_crc32c_portable(0, bytes + offset, n) != expected;
		}
	tap_is_int(n_wrong, 0, "CRC-32C agrees with its definition");
	tap_is_hex(bytes_crc32c(0, "123456789", 9), 0xE3069283, "the check value");
	memset(iscsi, 0, sizeof(iscsi));
	tap_is_hex(bytes_crc32c(0, iscsi, 32), 0x8A9136AA, "32 zeros (RFC 3720)");
	memset(iscsi, 0xFF, sizeof(iscsi));
	tap_is_hex(bytes_crc32c(0, iscsi, 32), 0x62A8AB43, "32 ones (RFC 3720)");
	tap_is_hex(bytes_crc32c(bytes_crc32c(0, "12345", 5), "6789", 4), 0xE3069283,
			   "parts can be chained");
	tap_is_hex(bytes_crc32c(0, NULL, 0), 0, "of nothing it is 0");
}

typedef struct Utf8Case
{
	const char *bytes;
	size_t		n_bytes;
	bool		valid;
	const char *name;
} Utf8Case;

static const Utf8Case utf8_cases[] = {
	{"", 0, true, "nothing"},
	{"plain", 5, true, "ASCII"},
	{"\x7F", 1, true, "U+007F"},
	{"a\0b", 3, false, "NUL"},
	{"\xC2\x80", 2, true, "U+0080"},
	{"\xDF\xBF", 2, true, "U+07FF"},
	{"\xE0\xA0\x80", 3, true, "U+0800"},
	{"\xED\x9F\xBF", 3, true, "U+D7FF"},
	{"\xEE\x80\x80", 3, true, "U+E000"},
	{"\xEF\xBF\xBF", 3, true, "U+FFFF"},
	{"\xF0\x90\x80\x80", 4, true, "U+10000"},
	{"\xF4\x8F\xBF\xBF", 4, true, "U+10FFFF"},
	{"\x80", 1, false, "a lone continuation"},
	{"\xC0\x80", 2, false, "NUL in two bytes"},
	{"\xC1\xBF", 2, false, "overlong, two bytes"},
	{"\xE0\x9F\xBF", 3, false, "overlong, three bytes"},
	{"\xF0\x8F\xBF\xBF", 4, false, "overlong, four bytes"},
	{"\xED\xA0\x80", 3, false, "a surrogate"},
	{"\xED\xBF\xBF", 3, false, "the last surrogate"},
	{"\xF4\x90\x80\x80", 4, false, "beyond U+10FFFF"},
	{"\xF5\x80\x80\x80", 4, false, "lead F5"},
	{"\xFF", 1, false, "lead FF"},
	{"\xC3", 1, false, "cut after one of two"},
	{"\xE2\x82", 2, false, "cut after two of three"},
	{"\xF0\x9D\x84", 3, false, "cut after three of four"},
	{"\xC3(", 2, false, "no continuation, second of two"},
	{"\xE2\x82(", 3, false, "no continuation, third of three"},
	{"\xF0\x9D\x84(", 4, false, "no continuation, fourth of four"},
	{"ok \xE2\x82\xAC\xF0\x9D\x84\x9E", 10, true, "a mixture"},
	{"ok \xE2\x82\xAC\xF0\x9D\x84\x9E\xFE", 11, false, "a mixture with a bad end"},
};

static void
test_utf8(void)
{
	size_t		i;

	for (i = 0; i < sizeof(utf8_cases) / sizeof(utf8_cases[0]); i++)
		tap_ok(bytes_is_utf8(utf8_cases[i].bytes, utf8_cases[i].n_bytes) == utf8_cases[i].valid,
			   "UTF-8: %s", utf8_cases[i].name);
}

int
main(void)
{
	test_layout();
	test_read_back();
	test_cut_input();
	test_writer_failures();
	tap_ok(test_sweep(write_much, NULL, 5, 0), "the writer survives refusals");
	test_crc();
	test_utf8();
	return tap_done();
}
