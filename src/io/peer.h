/*
 * Peer: a socket's address as an application is told it.
 */
#ifndef ZEROG_IO_PEER_H
#define ZEROG_IO_PEER_H

#include <stddef.h>

#include <zerog/peer.h>

/**
 * zgi_peer_read() - take an address apart
 * @address:   as accept(2) writes it; may be cut off
 * @size:      bytes that there are of it; 0 for none, as of an unnamed Unix socket
 * @ret_peer:  overwritten; unknown when it is none of the families
 */
void zgi_peer_read(const void *address, size_t size, struct zg_peer *ret_peer);

#endif
