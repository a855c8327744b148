/*
 * getaddrinfo(3), in front of glibc's.
 *
 * glibc resolves names through tables and libraries that it loads when the first
 * name is asked for, and dereferences what it could not allocate: on an exhausted
 * heap it crashes. Addresses in numbers take none of that. So, under the kernel seal,
 * an address is turned as ever, and a name is refused at once, with the error that
 * getaddrinfo(3) has for want of memory.
 */
#include "mem/seal/seal_names.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>

#include "mem/seal/seal_kernel.h"
#include "mem/seal/seal_state.h"

#if ZGI_SEAL_HAS_SANITIZER

void zgi_seal_names_prepare(void)
{
	/* A sanitizer has a resolver of its own in front, and there is no kernel seal. */
}

#else

typedef int names_resolver(const char *node, const char *service, const struct addrinfo *hints,
			   struct addrinfo **ret_list);

/* As netdb.h has it; seen by the dynamic linker, so that libraries resolve to it. */
__attribute__((visibility("default"))) names_resolver getaddrinfo;

static names_resolver *names_next;

static names_resolver *names_find(void)
{
	names_resolver *next = __atomic_load_n(&names_next, __ATOMIC_RELAXED);

	if (next != NULL)
		return next;
	/* POSIX has dlsym(3) return functions as data. */
	*(void **)(void *)&next = dlsym(RTLD_NEXT, "getaddrinfo");
	__atomic_store_n(&names_next, next, __ATOMIC_RELAXED);
	return next;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		struct addrinfo **ret_list)
{
	struct addrinfo numeric = {.ai_family = AF_UNSPEC};
	names_resolver *next = names_find();
	int result;

	if (next == NULL)
		return EAI_FAIL;
	if (!zgi_seal_kernel_is_closed())
		return next(node, service, hints, ret_list);
	if (hints != NULL)
		numeric = *hints;
	numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	result = next(node, service, &numeric, ret_list);
	/* Not a number, then: who asked for numbers only is told so, who gave a name that it
	 * failed. */
	if (result == EAI_NONAME && (hints == NULL || (hints->ai_flags & AI_NUMERICHOST) == 0))
		return EAI_MEMORY;
	return result;
}

void zgi_seal_names_prepare(void)
{
	(void)names_find();
}

#endif
