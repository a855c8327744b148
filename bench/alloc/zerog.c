#include "zerog.h"

int main(int argc, char **argv)
{
	static const struct alloc_subject *const subjects[] = {
		&alloc_pool_subject,
		&alloc_arena_subject,
		NULL,
	};

	return alloc_main(argc, argv, subjects);
}
