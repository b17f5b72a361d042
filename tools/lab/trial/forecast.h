/*
 * forecast - what has been seen of everything that was expected.
 */
#ifndef DROVER_LAB_TRIAL_FORECAST_H
#define DROVER_LAB_TRIAL_FORECAST_H

#include "lab/cli/choice.h"
#include "lab/cli/output.h"
#include "lab/cli/schedule.h"
#include "lab/trial/expectation.h"

/* Values of one figure that are kept: repeated measurements. The median counts. */
#define FORECAST_REPEATS 16

struct forecast {
    struct forecast_row {
        double values[FORECAST_REPEATS];
        unsigned count;
        const char *skipped; /* why it was not tried; NULL: it was, or nobody asked */
    } * rows;                /* owned: one for each of expectations[] */
    size_t count;
};

/* Returns 0, or -1 with ENOMEM; forecast_free() is due in either case. */
int forecast_init(struct forecast *forecast);
void forecast_free(struct forecast *forecast);

/* Takes what is expected of it out of a measurement: an output's on_measurement, whose
 * context is the forecast. */
void forecast_see(const struct measurement *m, void *context);

/* Adds the trials that the expectations are about, those alone whose strategy is among the choice's
 * names if it has any. Returns 0, or -1 after it has told which name is unknown. */
int forecast_schedule(struct schedule *schedule, const struct choice *choice);

/* A row and a line for each that was seen. Returns how many differ. */
unsigned forecast_tell(const struct forecast *forecast, struct output *output);

#endif
