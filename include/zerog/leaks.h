/*
 * Leaks: every object that was taken from a pool and not given back.
 *
 * Objects are grouped by the pool they belong to and the place in the program that
 * took them. A place is told as "object+offset", which `addr2line -e OBJECT OFFSET`
 * turns into a file and a line, wherever the program was loaded.
 *
 * Threads    Any thread, while others take and give: what changes hands during the
 *            report may be missing from it. At the end of a program it is exact.
 * Limits     ZG_LEAK_GROUPS_MAX groups are told apart; the rest is counted together.
 */
#ifndef ZEROG_LEAKS_H
#define ZEROG_LEAKS_H

#include <stdint.h>

#include <zerog/attributes.h>
#include <zerog/text.h>

ZG_BEGIN_DECLS

#define ZG_LEAK_GROUPS_MAX 64

/**
 * zg_leak_report() - what every pool of this process has out
 * @text:  appended to, a line a group: pool, count, place and ages; nothing when nothing is out
 *
 * Pools that are not tracked have a count only. Makes no allocation.
 *
 * Return: objects that are out.
 */
uint64_t zg_leak_report(struct zg_text *text);

/**
 * zg_site_print() - a place in the program, as "object+0xoffset"
 * @text:  appended to
 * @site:  a return address; NULL and what lies in no loaded object are printed as they are
 *
 * The offset is that of the call's last byte, so that addr2line names the line of the call and not
 * the one after. Any thread; makes no allocation. Source: dl_iterate_phdr(3).
 */
void zg_site_print(struct zg_text *text, const void *site);

ZG_END_DECLS

#endif
