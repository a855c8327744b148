/* The whole public API as a C program sees it: this one line. */

#include <zerog.h>

int main(void)
{
	return 0;
}
