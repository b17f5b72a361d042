/*
 * top_words - numbers in a few characters, for a screen that is full of them.
 */
#ifndef DROVER_CLI_TOP_WORDS_H
#define DROVER_CLI_TOP_WORDS_H

#include <stdint.h>

/* Bytes of one, with the NUL. */
#define WORDS_SIZE 24

/* "0", "3.4", "57", "1.23k", "45.6M": up to five characters from 0 on; "-" for NAN, which stands
 * for what is not known. */
void words_rate(double value, char text[WORDS_SIZE]);

/* A whole number, exact up to five digits, then as words_rate(). */
void words_count(double value, char text[WORDS_SIZE]);

/* "512", "3.4K", "17M", "1.2G", of 1024: up to five characters. */
void words_bytes(double bytes, char text[WORDS_SIZE]);

/* "7s", "12m05s", "23h59m", "4d03h": up to six characters within 99 days. */
void words_age(double milliseconds, char text[WORDS_SIZE]);

/* Of microseconds, in milliseconds: "0.021", "1.23", "45.6", "1234". */
void words_latency(double us, char text[WORDS_SIZE]);

#endif
