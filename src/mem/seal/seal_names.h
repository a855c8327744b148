/*
 * Names: what becomes of name resolution once the process is sealed.
 */
#ifndef ZEROG_MEM_SEAL_SEAL_NAMES_H
#define ZEROG_MEM_SEAL_SEAL_NAMES_H

/**
 * zgi_seal_names_prepare() - find the resolver that stands behind ours
 *
 * Calling it is also what pulls ours out of a static library. Boot only.
 */
void zgi_seal_names_prepare(void);

#endif
