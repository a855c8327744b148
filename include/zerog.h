/*
 * zerog: all of the public API.
 */
#ifndef ZEROG_H
#define ZEROG_H

#include <zerog/app.h>
#include <zerog/async.h>
#include <zerog/cookie.h>
#include <zerog/exchange.h>
#include <zerog/files.h>
#include <zerog/form.h>
#include <zerog/hooks.h>
#include <zerog/http.h>
#include <zerog/journal.h>
#include <zerog/json.h>
#include <zerog/memory.h>
#include <zerog/middleware.h>
#include <zerog/options.h>
#include <zerog/parameter.h>
#include <zerog/peer.h>
#include <zerog/pmem.h>
#include <zerog/pmem_pool.h>
#include <zerog/security.h>
#include <zerog/session.h>
#include <zerog/sse.h>
#include <zerog/stream.h>

#endif
