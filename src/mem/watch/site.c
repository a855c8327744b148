/*
 * From an address to where it is in its program or library. The loader's own list is
 * asked, because it is there already: dladdr() would look symbols up, which takes long
 * and finds nothing for static functions; backtrace_symbols() allocates.
 */
#include <zerog/leaks.h>

#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <string.h>

struct site_search {
	uintptr_t address;
	uintptr_t offset; /* from the object's beginning, as its file numbers it */
	const char *name; /* borrowed from the loader; empty for the program itself */
};

static int site_look(struct dl_phdr_info *object, size_t size, void *user)
{
	struct site_search *search = user;

	(void)size;
	for (unsigned i = 0; i < object->dlpi_phnum; ++i) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		/* Unsigned: what lies below the segment wraps to a huge offset. */
		uintptr_t within = search->address - (object->dlpi_addr + segment->p_vaddr);

		if (segment->p_type == PT_LOAD && within < segment->p_memsz) {
			search->offset = search->address - object->dlpi_addr;
			search->name = object->dlpi_name;
			return 1;
		}
	}
	return 0;
}

void zg_site_print(struct zg_text *text, const void *site)
{
	struct site_search search = {.address = (uintptr_t)site - 1};
	const char *name;

	if (site == NULL || dl_iterate_phdr(site_look, &search) == 0) {
		zg_text_print(text, "%p", site);
		return;
	}
	name = search.name[0] == '\0' ? program_invocation_name : search.name;
	if (strrchr(name, '/') != NULL)
		name = strrchr(name, '/') + 1;
	zg_text_print(text, "%s+0x%" PRIxPTR, name, search.offset);
}
