/*
 * zerog: all of the public API.
 */
#ifndef ZEROG_H
#define ZEROG_H

#include <zerog/app.h>
#include <zerog/exchange.h>
#include <zerog/http.h>
#include <zerog/memory.h>
#include <zerog/options.h>
#include <zerog/plan.h>
#include <zerog/pool.h>
#include <zerog/region.h>
#include <zerog/scratch.h>
#include <zerog/seal.h>
#include <zerog/slice.h>
#include <zerog/text.h>
#include <zerog/watch.h>

#endif
