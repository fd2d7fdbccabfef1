/*
 * bytes.c
 *	  Little-endian bytes: writer, reader, checksum, UTF-8.
 *
 * Numbers are taken apart and put together by shifts, so the code is the same
 * on hosts of either byte order; compilers make single moves of it.
 */
#include "core/bytes.h"

#include <string.h>

#include "core/cpu.h"
#include "core/memory.h"

#define FIRST_CAPACITY 256

void
bytes_writer_begin(ByteWriter *w, const Host *host, Failure *why)
{
	w->host = host;
	w->bytes = NULL;
	w->n_bytes = 0;
	w->capacity = 0;
	w->status = STATUS_OK;
	w->why = why;
}

/* Room for n more bytes, counted as written; NULL after a failure. */
static uint8_t *
append(ByteWriter *w, size_t n)
{
	uint8_t    *place;

	if (w->status != STATUS_OK)
		return NULL;
	if (n > w->capacity - w->n_bytes)
	{
		size_t		needed = w->n_bytes + n;

		if (needed < n)
		{
			w->status = fail(w->why, STATUS_LIMIT, "more bytes than memory can address");
			return NULL;
		}
		if (needed < FIRST_CAPACITY)
			needed = FIRST_CAPACITY;
		w->status = memory_grow(w->host, &w->bytes, &w->capacity, needed, 1, w->why);
		if (w->status != STATUS_OK)
			return NULL;
	}
	place = w->bytes + w->n_bytes;
	w->n_bytes += n;
	return place;
}

/* The low n bytes of value, lowest first. */
static inline void
store(uint8_t *place, uint64_t value, int n)
{
	int			i;

	for (i = 0; i < n; i++)
		place[i] = (uint8_t) (value >> (8 * i));
}

static inline void
put_number(ByteWriter *w, uint64_t value, int n)
{
	uint8_t    *place = append(w, (size_t) n);

	if (place != NULL)
		store(place, value, n);
}

void
bytes_put_u8(ByteWriter *w, uint8_t value)
{
	put_number(w, value, 1);
}

void
bytes_put_u16(ByteWriter *w, uint16_t value)
{
	put_number(w, value, 2);
}

void
bytes_put_u32(ByteWriter *w, uint32_t value)
{
	put_number(w, value, 4);
}

void
bytes_put_u64(ByteWriter *w, uint64_t value)
{
	put_number(w, value, 8);
}

void
bytes_put_f64(ByteWriter *w, double value)
{
	uint64_t	bits;

	memcpy(&bits, &value, sizeof(bits));
	put_number(w, bits, 8);
}

void
bytes_put(ByteWriter *w, const void *bytes, size_t n_bytes)
{
	uint8_t    *place;

	if (n_bytes == 0)
		return;
	place = append(w, n_bytes);
	if (place != NULL)
		memcpy(place, bytes, n_bytes);
}

void
bytes_put_string(ByteWriter *w, const char *bytes, size_t n_bytes)
{
	if ((uint64_t) n_bytes > UINT32_MAX)
	{
		if (w->status == STATUS_OK)
			w->status = fail(w->why, STATUS_LIMIT,
							 "a string of %zu bytes is too long, at most %u are allowed", n_bytes,
							 (unsigned) UINT32_MAX);
		return;
	}
	bytes_put_u32(w, (uint32_t) n_bytes);
	bytes_put(w, bytes, n_bytes);
}

void
bytes_patch_u32(ByteWriter *w, size_t offset, uint32_t value)
{
	if (w->status != STATUS_OK)
		return;
	if (w->n_bytes < 4 || offset > w->n_bytes - 4)
	{
		w->status = fail(w->why, STATUS_INVALID_PARAMETER,
						 "cannot patch four bytes at %zu, only %zu were written", offset,
						 w->n_bytes);
		return;
	}
	store(w->bytes + offset, value, 4);
}

void
bytes_writer_free(ByteWriter *w)
{
	memory_free(w->host, w->bytes, w->capacity, 1);
	w->bytes = NULL;
	w->n_bytes = 0;
	w->capacity = 0;
}

void
bytes_reader_begin(ByteReader *r, const void *bytes, size_t n_bytes)
{
	static const uint8_t nothing = 0;

	/* Without input there still is a place to point to. */
	r->bytes = bytes != NULL ? bytes : &nothing;
	r->n_bytes = bytes != NULL ? n_bytes : 0;
	r->offset = 0;
	r->failed = false;
}

const uint8_t *
bytes_get(ByteReader *r, size_t n_bytes)
{
	const uint8_t *place;

	if (r->failed || n_bytes > r->n_bytes - r->offset)
	{
		r->failed = true;
		return NULL;
	}
	place = r->bytes + r->offset;
	r->offset += n_bytes;
	return place;
}

static inline uint64_t
get_number(ByteReader *r, int n)
{
	const uint8_t *place = bytes_get(r, (size_t) n);
	uint64_t	value = 0;
	int			i;

	if (place == NULL)
		return 0;
	for (i = 0; i < n; i++)
		value |= (uint64_t) place[i] << (8 * i);
	return value;
}

uint8_t
bytes_get_u8(ByteReader *r)
{
	return (uint8_t) get_number(r, 1);
}

uint16_t
bytes_get_u16(ByteReader *r)
{
	return (uint16_t) get_number(r, 2);
}

uint32_t
bytes_get_u32(ByteReader *r)
{
	return (uint32_t) get_number(r, 4);
}

uint64_t
bytes_get_u64(ByteReader *r)
{
	return get_number(r, 8);
}

double
bytes_get_f64(ByteReader *r)
{
	uint64_t	bits = get_number(r, 8);
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

const char *
bytes_get_string(ByteReader *r, size_t *n_bytes)
{
	uint32_t	length = bytes_get_u32(r);
	const uint8_t *place = bytes_get(r, length);

	*n_bytes = place != NULL ? length : 0;
	return (const char *) place;
}

/*
 * crc_of_nibble[j][v]: what the four bits v at bits 4j … 4j+3 of the register
 * become after 32 steps.  The division is linear, so the eight nibbles of a
 * word are looked up apart and added (exclusive or).  The last row alone is
 * the classic table for one nibble at a time.  Polynomial 0x1EDC6F41,
 * reflected 0x82F63B78; test_bytes derives the table again.
 */
static const uint32_t crc_of_nibble[8][16] = {
	{0x00000000, 0xDD45AAB8, 0xBF672381, 0x62228939, 0x7B2231F3, 0xA6679B4B, 0xC4451272, 0x1900B8CA,
	0xF64463E6, 0x2B01C95E, 0x49234067, 0x9466EADF, 0x8D665215, 0x5023F8AD, 0x32017194, 0xEF44DB2C},
	{0x00000000, 0xE964B13D, 0xD725148B, 0x3E41A5B6, 0xABA65FE7, 0x42C2EEDA, 0x7C834B6C, 0x95E7FA51,
	0x52A0C93F, 0xBBC47802, 0x8585DDB4, 0x6CE16C89, 0xF90696D8, 0x106227E5, 0x2E238253, 0xC747336E},
	{0x00000000, 0xA541927E, 0x4F6F520D, 0xEA2EC073, 0x9EDEA41A, 0x3B9F3664, 0xD1B1F617, 0x74F06469,
	0x38513EC5, 0x9D10ACBB, 0x773E6CC8, 0xD27FFEB6, 0xA68F9ADF, 0x03CE08A1, 0xE9E0C8D2, 0x4CA15AAC},
	{0x00000000, 0x70A27D8A, 0xE144FB14, 0x91E6869E, 0xC76580D9, 0xB7C7FD53, 0x26217BCD, 0x56830647,
	0x8B277743, 0xFB850AC9, 0x6A638C57, 0x1AC1F1DD, 0x4C42F79A, 0x3CE08A10, 0xAD060C8E, 0xDDA47104},
	{0x00000000, 0x13A29877, 0x274530EE, 0x34E7A899, 0x4E8A61DC, 0x5D28F9AB, 0x69CF5132, 0x7A6DC945,
	0x9D14C3B8, 0x8EB65BCF, 0xBA51F356, 0xA9F36B21, 0xD39EA264, 0xC03C3A13, 0xF4DB928A, 0xE7790AFD},
	{0x00000000, 0x3FC5F181, 0x7F8BE302, 0x404E1283, 0xFF17C604, 0xC0D23785, 0x809C2506, 0xBF59D487,
	0xFBC3FAF9, 0xC4060B78, 0x844819FB, 0xBB8DE87A, 0x04D43CFD, 0x3B11CD7C, 0x7B5FDFFF, 0x449A2E7E},
	{0x00000000, 0xF26B8303, 0xE13B70F7, 0x1350F3F4, 0xC79A971F, 0x35F1141C, 0x26A1E7E8, 0xD4CA64EB,
	0x8AD958CF, 0x78B2DBCC, 0x6BE22838, 0x9989AB3B, 0x4D43CFD0, 0xBF284CD3, 0xAC78BF27, 0x5E133C24},
	{0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
	0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75}
};

static inline uint32_t
crc_step(uint32_t crc, uint8_t byte)
{
	crc ^= byte;
	crc = (crc >> 4) ^ crc_of_nibble[7][crc & 15];
	return (crc >> 4) ^ crc_of_nibble[7][crc & 15];
}

#ifdef CPU_X86
/* The processor's own instruction: every one with AVX2 has it. */
CPU_TARGET_AVX2
static uint32_t
crc_by_instruction(uint32_t crc, const uint8_t *p, size_t n_bytes)
{
	uint64_t	sum = (uint32_t) ~crc;

	for (; n_bytes >= 8; n_bytes -= 8, p += 8)
	{
		uint64_t	word;

		memcpy(&word, p, sizeof(word));
		sum = __builtin_ia32_crc32di(sum, word);
	}
	for (; n_bytes > 0; n_bytes--, p++)
		sum = __builtin_ia32_crc32qi((uint32_t) sum, *p);
	return ~(uint32_t) sum;
}
#endif

uint32_t
bytes_crc32c(uint32_t crc, const void *bytes, size_t n_bytes)
{
#ifdef CPU_X86
	if (cpu_level(CPU_BEST) >= CPU_AVX2)
		return crc_by_instruction(crc, bytes, n_bytes);
#endif
	return bytes_crc32c_portable(crc, bytes, n_bytes);
}

uint32_t
bytes_crc32c_portable(uint32_t crc, const void *bytes, size_t n_bytes)
{
	const uint8_t *p = bytes;

	crc = ~crc;
	for (; n_bytes >= 4; n_bytes -= 4, p += 4)
	{
		uint32_t	word = crc ^ ((uint32_t) p[0] | (uint32_t) p[1] << 8 |
								  (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24);

		crc = crc_of_nibble[0][word & 15] ^ crc_of_nibble[1][word >> 4 & 15] ^
			crc_of_nibble[2][word >> 8 & 15] ^ crc_of_nibble[3][word >> 12 & 15] ^
			crc_of_nibble[4][word >> 16 & 15] ^ crc_of_nibble[5][word >> 20 & 15] ^
			crc_of_nibble[6][word >> 24 & 15] ^ crc_of_nibble[7][word >> 28];
	}
	for (; n_bytes > 0; n_bytes--, p++)
		crc = crc_step(crc, *p);
	return ~crc;
}

/*
 * The length of the well-formed character at p, 0 if there is none: table 3-7
 * of the Unicode standard, which leaves out overlong forms, surrogates and
 * what lies beyond U+10FFFF.
 */
static size_t
utf8_length(const uint8_t *p, size_t n)
{
	uint8_t		lowest = 0x80;
	uint8_t		highest = 0xBF;
	size_t		length;
	size_t		i;

	if (p[0] < 0x80)
		return p[0] != 0 ? 1 : 0;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (p[0] == 0xE0)
		lowest = 0xA0;
	else if (p[0] == 0xED)
		highest = 0x9F;
	else if (p[0] == 0xF0)
		lowest = 0x90;
	else if (p[0] == 0xF4)
		highest = 0x8F;
	if (n < length || p[1] < lowest || p[1] > highest)
		return 0;
	for (i = 2; i < length; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return length;
}

bool
bytes_is_utf8(const void *bytes, size_t n_bytes)
{
	const uint8_t *p = bytes;

	while (n_bytes > 0)
	{
		size_t		length = utf8_length(p, n_bytes);

		if (length == 0)
			return false;
		p += length;
		n_bytes -= length;
	}
	return true;
}
