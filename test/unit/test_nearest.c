/*
 * test_nearest.c
 *	  The nearest of known names.
 */
#include "core/nearest.h"
#include "tap.h"

static const char *
name_of(const void *names, size_t i)
{
	return ((const char *const *) names)[i];
}

int
main(void)
{
	static const char *const names[] = {"n_estimators", "max_depth", "max_features", "f1", "mcc",
		NULL};
	static const char *const none[] = {NULL};
	char		long_name[200];

	tap_is_text(nearest_name("n_estimatorz", name_of, names), "n_estimators", "one letter");
	tap_is_text(nearest_name("Max_Depth", name_of, names), "max_depth", "upper case is equal");
	tap_is_text(nearest_name("maxdepth", name_of, names), "max_depth", "one is missing");
	tap_is_text(nearest_name("max_deepths", name_of, names), "max_depth", "two too many");
	tap_is_text(nearest_name("f2", name_of, names), "f1", "of a short name one may differ");
	tap_is_text(nearest_name("xy", name_of, names), NULL, "but not two");
	tap_is_text(nearest_name("bootstrap", name_of, names), NULL, "nothing is near");
	tap_is_text(nearest_name("", name_of, names), NULL, "no name");
	tap_is_text(nearest_name("f1", name_of, none), NULL, "no names");
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	tap_is_text(nearest_name(long_name, name_of, names), NULL, "a long name");
	return tap_done();
}
