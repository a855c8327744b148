/*
 * zerog: all of the public API.
 */
#ifndef ZEROG_H
#define ZEROG_H

#include <zerog/app.h>
#include <zerog/exchange.h>
#include <zerog/hooks.h>
#include <zerog/http.h>
#include <zerog/memory.h>
#include <zerog/middleware.h>
#include <zerog/options.h>
#include <zerog/parameter.h>
#include <zerog/peer.h>

#endif
