/*
 * What a program that keeps what it takes meets when malloc's memory ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXHAUST_BLOCK_SIZE 1024

int main(void)
{
	unsigned long count = 0;
	char *block;

	while ((block = malloc(EXHAUST_BLOCK_SIZE)) != NULL) {
		memset(block, 1, EXHAUST_BLOCK_SIZE);
		count++;
	}
	printf("{\"refused_after\": %lu}\n", count);
	return 0;
}
