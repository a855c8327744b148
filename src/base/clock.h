/*
 * Clock: one way to ask the time that passes, in nanoseconds.
 */
#ifndef ZEROG_BASE_CLOCK_H
#define ZEROG_BASE_CLOCK_H

#include <stdint.h>

/**
 * zgi_clock_ns() - nanoseconds since some moment before the start
 *
 * Return: CLOCK_MONOTONIC. Never goes back, and is not moved by who sets the date. Any thread.
 */
uint64_t zgi_clock_ns(void);

/**
 * zgi_clock_coarse_ns() - the same time as of the kernel's last tick
 *
 * Return: CLOCK_MONOTONIC_COARSE: up to 10 ms behind zgi_clock_ns(), for a quarter of its price.
 * Any thread.
 */
uint64_t zgi_clock_coarse_ns(void);

#endif
