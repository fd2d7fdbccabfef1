/*
 * location_file.c
 *	  Files and folders of the server: the scheme file: of location.h.
 *
 * A folder is written under another name beside its own and then renamed, so
 * that nobody sees a part of it.  It is remembered until the transaction ends:
 * when the (sub)transaction that made it is rolled back, it is removed, and
 * the folders that were made above it if nothing else came into them.  A
 * server that crashes in between leaves it.  Modes are those of the data
 * directory.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "common/file_perm.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#include "pg/compat.h"
#include "pg/location.h"

/* A folder that a running transaction makes, or has made. */
typedef struct Folder
{
	dlist_node	node;			/* in `folders` */
	SubTransactionId owner;
	MemoryContext context;		/* of all that it holds */
	char	   *path;			/* where it is going to be */
	char	   *made;			/* where it is now; NULL: not made yet */
	List	   *files;			/* names of its files */
	List	   *parents;		/* folders made above it, the innermost first */
} Folder;

/* All that the running transaction has made, the latest first. */
static dlist_head folders = DLIST_STATIC_INIT(folders);
static bool watching = false;

/* ---------------------------------------------------------------- names -- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

pg_noreturn static void
refuse_name(const char *text, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_NAME),
			 errmsg("\"%s\" does not name a file of the server", text),
			 errdetail("%s", detail),
			 errhint("Give an absolute path, as \"/data/file.csv\" or "
					 "\"file:///data/file.csv\".")));
}

/* %20 and the like as the bytes they stand for. */
static char *
decode_percent(const char *text, const char *rest)
{
	char	   *path = palloc(strlen(rest) + 1);
	char	   *to = path;

	for (const char *at = rest; *at != '\0'; at++)
	{
		int			high;
		int			low;

		if (*at != '%')
		{
			*to++ = *at;
			continue;
		}
		high = hex_digit(at[1]);
		low = high < 0 ? -1 : hex_digit(at[2]);
		if (low < 0 || high + low == 0)
			refuse_name(text, "In a URL two hexadecimal digits, not both zero, follow a \"%\".");
		*to++ = (char) (high * 16 + low);
		at += 2;
	}
	*to = '\0';
	return path;
}

/* The path of a URL, behind file:, or of a plain text. */
static char *
file_path(const char *text, const char *rest)
{
	char	   *path;

	if (rest == NULL)
		path = pstrdup(text);
	else
	{
		if (strncmp(rest, "//", 2) == 0)
		{
			rest += 2;
			if (pg_strncasecmp(rest, "localhost/", 10) == 0)
				rest += 9;
			else if (*rest != '/')
				refuse_name(text, "It names another host than this one.");
		}
		path = decode_percent(text, rest);
	}
	if (!is_absolute_path(path))
		refuse_name(text, "It is not an absolute path.");
	canonicalize_path(path);
	return path;
}

static char *
file_inside(const char *path, const char *name)
{
	return psprintf("%s/%s", path, name);
}

/* May the caller read, or write, the server's files? */
static void
check_use(LocationUse use)
{
	bool		reads = use == LOCATION_READ;
	const char *role = reads ? "pg_read_server_files" : "pg_write_server_files";

	if (has_privs_of_role(GetUserId(), reads ? ROLE_PG_READ_SERVER_FILES :
						  ROLE_PG_WRITE_SERVER_FILES))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to %s files of the server", reads ? "read" : "write"),
			 errdetail("Only members of role \"%s\" may %s them.", role, reads ? "read" : "write"),
			 errhint("A superuser can GRANT %s TO %s;", role,
					 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

/* -------------------------------------------------------------- reading -- */

/* A file is refused unless it is an ordinary one: it is read twice, and must end. */
static void *
file_open(const Location *location)
{
	int		   *fd = palloc(sizeof(int));
	struct stat about;

	/* without O_NONBLOCK a pipe nobody writes to would hang */
	*fd = OpenTransientFile(location->path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (*fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" for reading: %m", location->path),
				 errhint("The file is read by the server, on its own machine and as its own "
						 "user.")));
	if (fstat(*fd, &about) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", location->path)));
	if (!S_ISREG(about.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not an ordinary file", location->path),
				 S_ISDIR(about.st_mode) ? errdetail("It is a directory.") : 0));
	return fd;
}

static size_t
file_read(void *state, const Location *location, void *bytes, size_t n_bytes)
{
	int			fd = *(int *) state;
	size_t		n_read = 0;

	while (n_read < n_bytes)
	{
		ssize_t		n;

		pgstat_report_wait_start(WAIT_EVENT_COPY_FILE_READ);
		n = read(fd, (char *) bytes + n_read, n_bytes - n_read);
		pgstat_report_wait_end();
		if (n < 0 && errno != EINTR)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", location->path)));
		if (n == 0)
			break;
		if (n > 0)
			n_read += (size_t) n;
		CHECK_FOR_INTERRUPTS();
	}
	return n_read;
}

static void
file_rewind(void *state, const Location *location)
{
	if (lseek(*(int *) state, 0, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in file \"%s\": %m", location->path)));
}

static void
file_close(void *state)
{
	(void) CloseTransientFile(*(int *) state);
	pfree(state);
}

/* -------------------------------------------------------------- folders -- */

static void
forget_folder(Folder *folder)
{
	dlist_delete(&folder->node);
	MemoryContextDelete(folder->context);
}

/* Remove a folder as if it had never been; must not raise. */
static void
remove_folder(Folder *folder)
{
	ListCell   *cell;

	foreach(cell, folder->files)
	{
		char		path[MAXPGPATH];

		snprintf(path, sizeof(path), "%s/%s", folder->made, (const char *) lfirst(cell));
		if (unlink(path) != 0 && errno != ENOENT)
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not remove file \"%s\": %m", path)));
	}
	if (folder->made != NULL && rmdir(folder->made) != 0 && errno != ENOENT)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not remove directory \"%s\": %m", folder->made)));
	/* what others have put something into stays */
	foreach(cell, folder->parents)
		(void) rmdir(lfirst(cell));
	forget_folder(folder);
}

/* The (sub)transaction `owner`, or all of it, is rolled back. */
static void
remove_folders(SubTransactionId owner, bool all)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &folders)
	{
		Folder	   *folder = dlist_container(Folder, node, iter.cur);

		if (all || folder->owner == owner)
			remove_folder(folder);
	}
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	dlist_mutable_iter iter;

	(void) arg;
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (!dlist_is_empty(&folders))
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has saved a model"),
						 errhint("Save it in a transaction of its own.")));
			break;
		case XACT_EVENT_ABORT:
			remove_folders(InvalidSubTransactionId, true);
			break;
		case XACT_EVENT_COMMIT:
			dlist_foreach_modify(iter, &folders)
				forget_folder(dlist_container(Folder, node, iter.cur));
			break;
		default:
			break;
	}
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent,
					  void *arg)
{
	dlist_iter	iter;

	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		remove_folders(mine, false);
	if (event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	dlist_foreach(iter, &folders)
	{
		Folder	   *folder = dlist_container(Folder, node, iter.cur);

		if (folder->owner == mine)
			folder->owner = parent;
	}
}

pg_noreturn static void
refuse_existing(const char *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_FILE),
			 errmsg("\"%s\" exists already", path),
			 errdetail("What was saved is never overwritten."),
			 errhint("Give another path, or remove it first.")));
}

static bool
exists(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0;
}

/* Make the folders above a path that are not there. */
static void
make_parents(Folder *folder, const char *path)
{
	char	   *parent = pstrdup(path);

	get_parent_directory(parent);
	if (parent[0] == '\0' || exists(parent))
		return;
	make_parents(folder, parent);
	if (MakePGDirectory(parent) == 0)
		folder->parents = lcons(parent, folder->parents);
	else if (errno != EEXIST)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\": %m", parent)));
}

static void
folder_refuse_existing(const Location *location)
{
	if (exists(location->path))
		refuse_existing(location->path);
}

static void *
folder_new(const Location *location)
{
	MemoryContext context;
	MemoryContext caller;
	Folder	   *folder;
	char	   *beside;

	folder_refuse_existing(location);
	if (!watching)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		RegisterSubXactCallback(at_subtransaction_end, NULL);
		watching = true;
	}
	context = AllocSetContextCreate(TopMemoryContext, "churnops folder", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	folder = palloc0(sizeof(Folder));
	folder->context = context;
	folder->owner = GetCurrentSubTransactionId();
	folder->path = pstrdup(location->path);
	beside = psprintf("%s.part.%d", location->path, MyProcPid);
	dlist_push_head(&folders, &folder->node);
	make_parents(folder, folder->path);
	if (MakePGDirectory(beside) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\": %m", beside),
				 errhint("The folder is written by the server, on its own machine and as its own "
						 "user.")));
	folder->made = beside;
	MemoryContextSwitchTo(caller);
	return folder;
}

static void
folder_write(void *state, const char *name, const void *bytes, size_t n_bytes)
{
	Folder	   *folder = state;
	MemoryContext caller = MemoryContextSwitchTo(folder->context);
	char	   *path = psprintf("%s/%s", folder->made, name);
	const char *at = bytes;
	int			fd;

	folder->files = lappend(folder->files, pstrdup(name));
	fd = OpenTransientFile(path, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY);
	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create file \"%s\": %m", path)));
	while (n_bytes > 0)
	{
		ssize_t		n;

		errno = 0;
		pgstat_report_wait_start(WAIT_EVENT_COPY_FILE_WRITE);
		n = write(fd, at, Min(n_bytes, (size_t) 1 << 20));
		pgstat_report_wait_end();
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
		{
			/* a short write says nothing of the reason: that is a full disk */
			if (errno == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write file \"%s\": %m", path)));
		}
		at += n;
		n_bytes -= (size_t) n;
		CHECK_FOR_INTERRUPTS();
	}
	if (pg_fsync(fd) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not fsync file \"%s\": %m", path)));
	if (CloseTransientFile(fd) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not close file \"%s\": %m", path)));
	MemoryContextSwitchTo(caller);
}

static void
folder_finish(void *state)
{
	Folder	   *folder = state;
	char	   *parent = pstrdup(folder->path);
	ListCell   *cell;

	(void) fsync_fname_ext(folder->made, true, false, ERROR);
	/*
	 * rename() silently takes the place of an empty folder, so the name is
	 * claimed by one of ours first.
	 */
	if (MakePGDirectory(folder->path) != 0)
	{
		if (errno == EEXIST)
			refuse_existing(folder->path);
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not create directory \"%s\": %m", folder->path)));
	}
	if (rename(folder->made, folder->path) != 0)
	{
		int			saved_errno = errno;

		(void) rmdir(folder->path);
		errno = saved_errno;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not rename \"%s\" to \"%s\": %m", folder->made, folder->path)));
	}
	folder->made = folder->path;
	get_parent_directory(parent);
	(void) fsync_fname_ext(parent, true, false, ERROR);
	foreach(cell, folder->parents)
	{
		char	   *above = pstrdup(lfirst(cell));

		get_parent_directory(above);
		(void) fsync_fname_ext(above, true, false, ERROR);
	}
}

const LocationScheme location_file_scheme = {
	.name = "file",
	.path_of_url = file_path,
	.path_inside = file_inside,
	.check_use = check_use,
	.open = file_open,
	.read = file_read,
	.rewind = file_rewind,
	.close = file_close,
	.refuse_existing = folder_refuse_existing,
	.folder_new = folder_new,
	.folder_write = folder_write,
	.folder_finish = folder_finish,
};
