/*
 * Pool model: every sequence of operations on a pool of three blocks, beside a naive model.
 *
 * An operation is a take, a walk, or a give, a renew or a get of some handle: each that was
 * ever made, whether it is good or stale, each that is still to come, and strangers. After
 * each operation the pool is compared with the model. For cmocka tests.
 */
#ifndef ZEROG_MEM_POOL_POOL_MODEL_H
#define ZEROG_MEM_POOL_POOL_MODEL_H

#include <stdint.h>

#include <zerog/pool.h>

#define POOL_MODEL_SLOT_COUNT 3

/* The functions that are tried, and the last generation a block can have by them. */
struct pool_model_subject {
	int (*take)(struct zg_pool *pool, zg_handle *ret_handle, void **ret_block);
	int (*give)(struct zg_pool *pool, zg_handle handle);
	void *(*get)(struct zg_pool *pool, zg_handle handle);
	uint64_t generation_max;
};

/**
 * pool_model_explore() - try all sequences of a length; what disagrees fails the test
 * @of:     borrowed
 * @made:   generations that every block has had before the first operation
 * @depth:  operations of a sequence
 *
 * Return: sequences there are.
 */
uint64_t pool_model_explore(const struct pool_model_subject *of, uint64_t made, unsigned depth);

/* The same without gathering sequences by where they lead: each is gone through on its own. */
uint64_t pool_model_explore_one_by_one(const struct pool_model_subject *of, uint64_t made,
				       unsigned depth);

#endif
