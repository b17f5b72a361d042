/*
 * page - /status: one page without anything from elsewhere, which renews itself from status.json
 * beside it. Its parts are the files of that name in this folder.
 */
#ifndef DROVER_STATUS_PAGE_H
#define DROVER_STATUS_PAGE_H

#include "base/buf.h"

/* Bytes of its Content-Security-Policy, with the NUL. */
#define PAGE_POLICY_SIZE 256

/* Appends it, and writes the policy that it needs: no script and no style runs in it but its own,
 * by a number that no two answers have. */
void page_put(struct buf *to, char policy[PAGE_POLICY_SIZE]);

#endif
