/*
 * Resume: the door through which other threads reach a server's shards.
 */
#ifndef ZEROG_SERVER_RESUME_H
#define ZEROG_SERVER_RESUME_H

struct zgi_server;

/* From now on zg_resume() and zg_shard_post() reach this server; its shards are made. */
void zgi_resume_open(struct zgi_server *server);

/* From now on it reaches none; when this returns, no thread is inside any more. */
void zgi_resume_close(void);

/* The server that serves, which does not end until zgi_resume_leave(); NULL when there is none. Any
 * thread. */
struct zgi_server *zgi_resume_enter(void);
void zgi_resume_leave(void);

#endif
