#include "status/page.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

/* The assembler takes the files in as they are; the path is from the top of the tree, where make
 * runs. */
#define TAKE_IN(name, path)                                 \
    __asm__(".pushsection .rodata\n"                        \
            "page_" #name ": .incbin \"" path "\"\n"        \
            "page_" #name "_end: .byte 0\n"                 \
            ".popsection\n"                                 \
            ".globl page_" #name ", page_" #name "_end\n"); \
    extern const char page_##name[], page_##name##_end[]

TAKE_IN(html, "src/status/page.html");
TAKE_IN(css, "src/status/page.css");
TAKE_IN(js, "src/status/page.js");

/* One that nobody can guess; where the kernel has no random bytes yet, one of this process. */
static void make_nonce(char nonce[33])
{
    uint64_t random[2] = {(uint64_t)getpid(), (uint64_t)(uintptr_t)nonce};
    if (getrandom(random, sizeof random, GRND_NONBLOCK) < 0)
        random[0] = (uint64_t)getpid();
    snprintf(nonce, 33, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

static void put_part(struct buf *to, const char *element, const char *nonce, const char *from,
                     const char *end)
{
    buf_printf(to, "<%s nonce=\"%s\">\n", element, nonce);
    buf_add(to, from, (size_t)(end - from));
    buf_printf(to, "</%s>\n", element);
}

void page_put(struct buf *to, char policy[PAGE_POLICY_SIZE])
{
    char nonce[33];
    make_nonce(nonce);
    snprintf(policy, PAGE_POLICY_SIZE,
             "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; connect-src 'self'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             nonce, nonce);
    buf_add(to, page_html, (size_t)(page_html_end - page_html));
    put_part(to, "style", nonce, page_css, page_css_end);
    put_part(to, "script", nonce, page_js, page_js_end);
}
