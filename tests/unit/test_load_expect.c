#include "load/expect.h"

#include <criterion/criterion.h>

#include "load/checksum.h"

static struct expect any(void)
{
    return (struct expect){.status = 200, .length = EXPECT_ANY_LENGTH};
}

static struct answer answer_of(int status, const char *body, bool summed)
{
    struct answer a = {.state = ANSWER_WHOLE, .status = status, .summed = summed};
    a.body = span_of(body).n;
    a.checksum = summed ? checksum_add(0, span_of(body)) : 0;
    return a;
}

static enum outcome judge(struct expect *expect, int status, const char *body, size_t surplus)
{
    struct answer a = answer_of(status, body, expect->summed);
    return expect_judge(expect, &a, surplus);
}

Test(load_expect, status_and_whatever_body)
{
    struct expect e = any();
    cr_expect_eq(judge(&e, 200, "", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 204, "", 0), OUTCOME_WRONG_STATUS);
    e.status = 404;
    cr_expect_eq(judge(&e, 404, "no", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "no", 0), OUTCOME_WRONG_STATUS);
}

Test(load_expect, bytes_after_the_end_are_wrong)
{
    struct expect e = any();
    cr_expect_eq(judge(&e, 200, "hello", 1), OUTCOME_WRONG_BODY);
}

Test(load_expect, what_is_not_http_has_no_status)
{
    struct expect e = any();
    struct answer a = {.state = ANSWER_MALFORMED, .status = 200};
    cr_expect_eq(expect_judge(&e, &a, 3), OUTCOME_MALFORMED);
}

Test(load_expect, a_length)
{
    struct expect e = any();
    e.length = 5;
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "HELLO", 0), OUTCOME_ANSWERED); /* nothing is said of the bytes */
    cr_expect_eq(judge(&e, 200, "hell", 0), OUTCOME_WRONG_BODY);
    cr_expect_eq(judge(&e, 200, "", 0), OUTCOME_WRONG_BODY);
    cr_expect_eq(judge(&e, 500, "hell", 0), OUTCOME_WRONG_STATUS); /* the status comes first */
}

Test(load_expect, a_checksum)
{
    struct expect e = any();
    e.summed = true;
    e.checksum = checksum_add(0, SPAN("hello"));
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "hellp", 0), OUTCOME_WRONG_BODY);
    cr_expect_eq(judge(&e, 200, "", 0), OUTCOME_WRONG_BODY);
}

Test(load_expect, bytes_in_pieces)
{
    struct expect e = any();
    expect_bytes(&e, SPAN("hel"));
    expect_bytes(&e, SPAN("lo"));
    cr_expect(e.summed);
    cr_expect_eq(e.length, 5);
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "hallo", 0), OUTCOME_WRONG_BODY);
    cr_expect_eq(judge(&e, 200, "hello!", 0), OUTCOME_WRONG_BODY);
}

Test(load_expect, no_bytes)
{
    struct expect e = any();
    expect_bytes(&e, SPAN(""));
    cr_expect_eq(judge(&e, 200, "", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "x", 0), OUTCOME_WRONG_BODY);
}

Test(load_expect, the_same_as_the_first_right_answer)
{
    struct expect e = any();
    e.summed = e.same = true;
    /* What is wrong for another reason says nothing about the body. */
    cr_expect_eq(judge(&e, 500, "sorry", 0), OUTCOME_WRONG_STATUS);
    cr_expect_eq(judge(&e, 200, "hi", 1), OUTCOME_WRONG_BODY);
    cr_expect(e.same);

    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_not(e.same);
    cr_expect_eq(e.length, 5);
    cr_expect_eq(e.checksum, checksum_add(0, SPAN("hello")));
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_eq(judge(&e, 200, "hallo", 0), OUTCOME_WRONG_BODY);
    cr_expect_eq(judge(&e, 200, "hell", 0), OUTCOME_WRONG_BODY);
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
}

Test(load_expect, the_first_of_a_given_length)
{
    struct expect e = any();
    e.summed = e.same = true;
    e.length = 5;
    cr_expect_eq(judge(&e, 200, "hell", 0), OUTCOME_WRONG_BODY);
    cr_expect(e.same);
    cr_expect_eq(judge(&e, 200, "hello", 0), OUTCOME_ANSWERED);
    cr_expect_not(e.same);
}
