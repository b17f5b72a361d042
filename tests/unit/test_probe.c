#include "os/probe.h"

#include <errno.h>
#include <signal.h>

#include "base/limits.h"
#include "support.h"

Test(probe, why_it_does_not_work)
{
    static const struct {
        struct probe probe;
        const char *words;
    } rows[] = {
        {{.verdict = PROBE_NO, .cause = EPERM}, "refused (Operation not permitted)"},
        {{.verdict = PROBE_NO}, "taken, but without effect"},
        {{.verdict = PROBE_NO, .signal = SIGSYS}, "refused by a seccomp filter (SIGSYS)"},
        {{.verdict = PROBE_NO, .signal = SIGSEGV}, "the probe was killed by SIGSEGV"},
        {{.verdict = PROBE_UNKNOWN, .signal = SIGALRM}, "no answer within 3 s"},
        {{.verdict = PROBE_UNKNOWN, .cause = EAGAIN},
         "could not be tried (Resource temporarily unavailable)"},
    };
    speak_english();
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char text[128];
        probe_describe(&rows[i].probe, text, sizeof text);
        cr_expect_str_eq(text, rows[i].words);
    }
}

Test(probe, only_what_failed_has_a_cause)
{
    errno = EPERM;
    cr_expect_eq(probe_is(PROBE_NO).cause, EPERM);
    cr_expect_eq(probe_is(PROBE_UNKNOWN).cause, EPERM);
    cr_expect_eq(probe_is(PROBE_YES).cause, 0);
}
