/*
 * Later: a thread that resumes pending exchanges when their time has come.
 */
#ifndef ZEROG_TEST_LATER_H
#define ZEROG_TEST_LATER_H

#include <stdint.h>

#include <zerog.h>

/* Start the thread; before the seal, because a thread's stack is memory. Exits on failure. */
void later_start(void);

/* Resume a handle after so many milliseconds. Return: 0; -ENOMEM when too many wait already. */
int later_resume(zg_handle handle, uint64_t delay_ms, zg_resume_handler *then);

#endif
