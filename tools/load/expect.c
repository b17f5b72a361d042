#include "load/expect.h"

#include "load/checksum.h"

void expect_bytes(struct expect *expect, struct span bytes)
{
    if (expect->length == EXPECT_ANY_LENGTH)
        expect->length = 0;
    expect->length += bytes.n;
    expect->checksum = checksum_add(expect->checksum, bytes);
    expect->summed = true;
}

static bool is_right_body(const struct expect *expect, const struct answer *answer)
{
    if (expect->length != EXPECT_ANY_LENGTH && answer->body != expect->length)
        return false;
    return !expect->summed || expect->same || answer->checksum == expect->checksum;
}

enum outcome expect_judge(struct expect *expect, const struct answer *answer, size_t surplus)
{
    if (answer->state == ANSWER_MALFORMED)
        return OUTCOME_MALFORMED;
    if (answer->status != expect->status)
        return OUTCOME_WRONG_STATUS;
    if (surplus > 0 || !is_right_body(expect, answer))
        return OUTCOME_WRONG_BODY;
    if (expect->same) {
        expect->length = answer->body;
        expect->checksum = answer->checksum;
        expect->same = false;
    }
    return OUTCOME_ANSWERED;
}
