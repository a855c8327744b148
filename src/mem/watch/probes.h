/*
 * Probes: places where perf, bpftrace and SystemTap can look on, in every build.
 *
 * A probe is one nop, and a note in the file that says where it is and where its
 * arguments lie at that moment (USDT). Where <sys/sdt.h> was not there at build time
 * (Debian's systemtap-sdt-dev) the macros are empty.
 *
 *	ZGI_PROBE3(pool_take, pool->name, handle.bits, index);
 *
 * What typed_pool.h does inline on a plain pool passes none.
 *
 * The list of them is in docs/guide/memory/tools.md; a test compares it with what
 * the programs have.
 */
#ifndef ZEROG_MEM_WATCH_PROBES_H
#define ZEROG_MEM_WATCH_PROBES_H

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#define ZGI_HAS_PROBES 1
#endif
#endif

#ifdef ZGI_HAS_PROBES
#include <sys/sdt.h>

#define ZGI_PROBE1(name, a) DTRACE_PROBE1(zerog, name, a)
#define ZGI_PROBE2(name, a, b) DTRACE_PROBE2(zerog, name, a, b)
#define ZGI_PROBE3(name, a, b, c) DTRACE_PROBE3(zerog, name, a, b, c)
#else
#define ZGI_PROBE1(name, a) ((void)(a))
#define ZGI_PROBE2(name, a, b) ((void)(a), (void)(b))
#define ZGI_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

#endif
