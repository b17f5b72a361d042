/*
 * drover-lab - what every way to share a listener, or to wait for connections, costs on this
 * kernel.
 */
#include <stdio.h>
#include <sysexits.h>

int main(void)
{
    fputs("drover-lab: nothing to run yet\n", stderr);
    return EX_UNAVAILABLE;
}
