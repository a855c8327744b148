/*
 * Control: a thread that arms and disarms faults as it is told on standard input.
 *
 * It goes past HTTP, so that to ask what a fault has done takes nothing from the
 * pools that are being tortured.
 *
 *	arm exchanges:3    ->  ok
 *	read exchanges     ->  TAKES FAULTS, since it was armed
 *	pools              ->  NAME taken LIVE of MAX, a line each; then ok
 *	disarm             ->  ok
 *
 * Answers go to standard output.
 */
#ifndef TORTURE_CONTROL_H
#define TORTURE_CONTROL_H

/* Before zg_app_main(): what a thread's own beginning allocates is allocated before the seal. */
void control_start(void);

#endif
