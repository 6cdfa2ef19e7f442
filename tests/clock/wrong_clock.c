/* The wall clock of the process that this is loaded into is wrong by as many seconds as its environment says. Monotonic
 * clocks, by which time-outs run, are left alone: that is what a badly set clock does, too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int reader(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *at) {
    static reader *real;
    if (!real) {
        real = (reader *)dlsym(RTLD_NEXT, "clock_gettime");
    }
    int failed = real(clock, at);
    const char *wrong_by = getenv("PERDURA_TEST_CLOCK_WRONG_BY_SECONDS");
    if (!failed && wrong_by && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        at->tv_sec += atol(wrong_by);
    }
    return failed;
}
