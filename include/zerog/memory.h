/*
 * Memory: the half of zerog that stands alone. A program that includes this and
 * links libzerog-memory gets the pools, arenas and the rest, and no HTTP.
 */
#ifndef ZEROG_MEMORY_H
#define ZEROG_MEMORY_H

#include <zerog/arena.h>
#include <zerog/attributes.h>
#include <zerog/fault.h>
#include <zerog/layout.h>
#include <zerog/leaks.h>
#include <zerog/pause.h>
#include <zerog/plan.h>
#include <zerog/pool.h>
#include <zerog/region.h>
#include <zerog/scratch.h>
#include <zerog/seal.h>
#include <zerog/shared_pool.h>
#include <zerog/slice.h>
#include <zerog/text.h>
#include <zerog/typed_pool.h>
#include <zerog/watch.h>

#endif
