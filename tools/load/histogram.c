#include "load/histogram.h"

#define TOP_US ((UINT64_C(1) << HISTOGRAM_TOP_BITS) - 1)

/* The 128 values below the first doubling and the 128 of the first one have a bucket each; from
 * then on each doubling's buckets are twice as wide as the last one's. */
static unsigned bucket_of(uint64_t us)
{
    if (us < HISTOGRAM_SUBS)
        return (unsigned)us;
    unsigned doubling = 63U - (unsigned)__builtin_clzll(us) - HISTOGRAM_SUB_BITS;
    return doubling * HISTOGRAM_SUBS + (unsigned)(us >> doubling);
}

/* The highest value that falls into a bucket. */
static uint64_t bucket_top(unsigned bucket)
{
    if (bucket < HISTOGRAM_SUBS)
        return bucket;
    unsigned doubling = bucket / HISTOGRAM_SUBS - 1;
    uint64_t scaled = bucket % HISTOGRAM_SUBS + HISTOGRAM_SUBS;
    return ((scaled + 1) << doubling) - 1;
}

void histogram_add(struct histogram *h, int64_t us)
{
    uint64_t value = us < 0 ? 0 : (uint64_t)us;
    h->total++;
    h->count[bucket_of(value < TOP_US ? value : TOP_US)]++;
    if (value > h->max_us)
        h->max_us = value;
}

uint64_t histogram_quantile(const struct histogram *h, unsigned permille)
{
    uint64_t rank = (h->total * permille + 999) / 1000; /* counted from 1, rounded up */
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && rank > 0; i++) {
        seen += h->count[i];
        if (seen >= rank) {
            uint64_t top = bucket_top(i);
            return top < h->max_us ? top : h->max_us;
        }
    }
    return 0;
}

uint64_t histogram_max(const struct histogram *h)
{
    return h->max_us;
}
