#include "status/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* The assembler takes the files in as they are, each with a NUL behind it; the path is from the top
 * of the tree, where make runs. */
#define TAKE_IN(name, path)                          \
    __asm__(".pushsection .rodata\n"                 \
            ".globl page_" #name "\n"                \
            "page_" #name ": .incbin \"" path "\"\n" \
            ".byte 0\n"                              \
            ".popsection\n");                        \
    extern const char page_##name[]

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

/* A part stands where the page names it. Returns what comes behind that. */
static const char *put_part(struct buf *to, const char *html, const char *element,
                            const char *nonce, const char *part)
{
    char name[16];
    snprintf(name, sizeof name, "@%s@", element);
    const char *at = strstr(html, name);
    if (!at)
        return html;
    buf_add(to, html, (size_t)(at - html));
    buf_printf(to, "<%s nonce=\"%s\">\n", element, nonce);
    buf_str(to, part);
    buf_printf(to, "</%s>", element);
    return at + strlen(name);
}

void page_put(struct buf *to, char policy[PAGE_POLICY_SIZE])
{
    char nonce[33];
    make_nonce(nonce);
    snprintf(policy, PAGE_POLICY_SIZE,
             "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; connect-src 'self'; "
             "img-src data:; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             nonce, nonce);
    const char *rest = put_part(to, page_html, "style", nonce, page_css);
    rest = put_part(to, rest, "script", nonce, page_js);
    buf_str(to, rest);
}
