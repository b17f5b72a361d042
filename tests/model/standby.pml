/*
 * standby - the protocol of src/worker/desk.h and src/worker/standby.h, for spin to search: a slot
 * with its workers, their standby and the master, in all orders of their steps.
 *
 * What is shared is as there: a desk a row, with tenure, custody and what is held; tables of
 * descriptors that processes share and part; connections whose numbers are closed and used again.
 * A client asks once it has had the last answer. Any process but the master is killed, or stopped
 * for good, between any two of its steps; one that is late is one whose next step comes late. The
 * master may believe at any time that the worker hangs, and tell it to leave once (LEAVES), upon
 * which what rests is given to other slots' workers, who are looked at no further.
 *
 * What must hold:
 *   one user   no two processes are at one connection at a time
 *   its own    what a process reads from and writes to is in its table, and the one it means
 *   once       a request is answered once at most, and with the answer to it
 *   kept       a connection at rest is closed by nobody that goes on
 *   served     when nothing moves any more no client waits, unless a stopped process has it in hand
 *   seen       what its owner has closed, its client has seen closed
 *   let go     nobody waits at the tenure for ever
 *   known      a successor that has the tenure is known to the master by its pid
 *   one desk   a successor that is late does not touch the desk of the row's next worker
 *   saved      what rests is lost by no single kill, stop or hang (LONE)
 *
 * tests/model/run says what is searched, and which mistakes, each a macro here, must be found.
 */
#ifndef CONNS
#define CONNS 2 /* clients */
#endif
#ifndef REQUESTS
#define REQUESTS 1 /* of each */
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef HANGS
#define HANGS 1 /* that the master believes in, though nothing is stopped */
#endif
#ifndef FAILURES
#define FAILURES 1 /* of unshare(2) and clone(2) */
#endif
#ifndef WORKERS
#define WORKERS 3 /* of the slot, one after the other */
#endif

#define NUMBERS 2 /* descriptors of a table */
#define ROWS    3
#define TABLES  3
#define STANDBY WORKERS /* of the processes, the last */
#define NOBODY  255

/* custody */
#define NONE  0
#define REST  1 /* FRESH, KEPT, GREETING */
#define HELD  2
#define BUSY  3 /* and LASTING, which is the same to all but the master */
#define TAKEN 4 /* added to REST or HELD */

/* tenure, below the desk's round */
#define OWN      0
#define PASSING  1
#define PASSED   2
#define RETURNED 3
#define STATE(word) ((word) & 3)
#define ROUND(word) ((word) & 12)
#ifdef NO_ROUND
#define NEXT_ROUND(word) ROUND(word)
#else
#define NEXT_ROUND(word) (ROUND(word) + 4 & 12)
#endif

/* ---- the desks, and the rows they belong to ------------------------------------------------ */

byte custody[ROWS * NUMBERS];
byte tenure[ROWS];
byte held_number[ROWS * NUMBERS];
byte held_conn[ROWS * NUMBERS]; /* whose request it is */
byte held_count[ROWS];
bool is_reserved[ROWS]; /* by the master */

#define AT(row, n) custody[(row) * NUMBERS + (n)]

/* ---- the kernel ---------------------------------------------------------------------------- */

byte tables[TABLES * NUMBERS]; /* the connection + 1; 0: free */
byte users[TABLES];            /* a bit a process */
byte table_of[WORKERS + 1];
byte row_of[WORKERS];
bool is_alive[WORKERS + 1];
bool is_dead[WORKERS + 1];
bool is_stopped[WORKERS + 1];
bool is_struck[WORKERS + 1]; /* it takes no more steps: dead, or stopped */

#define FILE(me, n)  tables[table_of[me] * NUMBERS + (n)]
#define IN(t, c)     (users[t] && (tables[(t) * NUMBERS] == (c) + 1 || tables[(t) * NUMBERS + 1] == (c) + 1))
#define IS_OPEN(c)   (is_given[c] || IN(0, c) || IN(1, c) || IN(2, c))
#define others_live(me) ((is_alive[0] && me != 0) || (is_alive[1] && me != 1) || (is_alive[WORKERS - 1] && me != WORKERS - 1) || is_alive[STANDBY])

/* ---- the clients, and what only the properties look at -------------------------------------- */

bool has_come[CONNS];
bool is_unread[CONNS];
byte asked[CONNS];
byte answered[CONNS];
bool is_closed[CONNS]; /* its client sees it */
byte user_of[CONNS];   /* the process + 1 that is at it */
bool is_lawful[CONNS]; /* to be closed: it was in the middle, or is ended */
bool is_ended[CONNS];  /* by its owner */
bool is_given[CONNS];  /* to another slot's worker */

/* ---- what is said from process to process --------------------------------------------------- */

bool has_order, order_is_hung;
byte order_from, order_row, order_new;
bool has_failed;        /* the standby could not */
bool has_told[WORKERS]; /* its pid */
bool is_ready[WORKERS];
bool is_twinned[WORKERS];
bool is_told[WORKERS];   /* to leave */
bool has_given[WORKERS]; /* what rested with it */
bool is_waiting; /* the master, for the standby and the successor */
byte elsewhere = NOBODY; /* the row that another slot's worker has got */
bool is_late;    /* the deadlines of what is stopped are over */

/* ---- steps of more than one process --------------------------------------------------------- */

#ifdef LONE
#define MAY_BE_LOST(c) is_lawful[c]
#else
#define MAY_BE_LOST(c) true
#endif

inline see_ends() {
    x = 0;
    do
    :: x < CONNS ->
        if
        :: has_come[x] && !is_closed[x] && !IS_OPEN(x) ->
            is_closed[x] = true;
            assert(MAY_BE_LOST(x))
        :: else
        fi;
        x++
    :: else -> break
    od;
    x = 0
}

inline end_process(me) {
        x = 0;
        do
        :: x < CONNS ->
            if
            :: user_of[x] == me + 1 -> user_of[x] = 0; is_lawful[x] = true
            :: else
            fi;
            x++
        :: else -> break
        od;
        /* what it has laid down since it was left behind is nobody's but its own */
        x = 0;
        do
        :: me < WORKERS && x < NUMBERS ->
            if
            :: STATE(tenure[row_of[me % WORKERS]]) != OWN && FILE(me, x) && AT(row_of[me % WORKERS], x) < TAKEN ->
                is_lawful[FILE(me, x) - 1] = true
            :: else
            fi;
            x++
        :: else -> break
        od;
        users[table_of[me]] = users[table_of[me]] & ~(1 << me);
        is_alive[me] = false;
        is_stopped[me] = false;
        is_dead[me] = true;
        is_struck[me] = true;
        see_ends()
}

inline desk_clear(row) {
    AT(row, 0) = NONE;
    AT(row, 1) = NONE;
    held_count[row] = 0;
    tenure[row] = NEXT_ROUND(tenure[row]) | OWN
}

/* ---- a worker ------------------------------------------------------------------------------- */

inline reclaim() {
    x = 0;
    do
    :: d_step { x < NUMBERS -> AT(row, x) = AT(row, x) & ~TAKEN; x++ }
    :: d_step {
           x == NUMBERS -> x = 0;
           assert(STATE(tenure[row]) == RETURNED);
           tenure[row] = NEXT_ROUND(tenure[row]) | OWN
       }
       break
    od
}

/* Whose the desk is, once that is known. */
inline settle() {
    do
    :: STATE(tenure[row]) == OWN -> break
    :: STATE(tenure[row]) == RETURNED -> reclaim(); break
    :: STATE(tenure[row]) == PASSED -> has_desk = false; break
#ifdef FORGET_EARLY
    :: STATE(tenure[row]) == PASSING -> has_desk = false; break
#endif
    od
}

/* c: the connection, or NOBODY where it is the successor's for good. */
inline claim(n) {
    do
    ::
#ifdef CLAIM_BY_STORE
        seen = AT(row, n);
#endif
        d_step {
#ifndef CLAIM_BY_STORE
            seen = AT(row, n);
#endif
            c = NOBODY;
            if
            :: seen == REST || seen == HELD ->
                AT(row, n) = BUSY;
                assert(FILE(me, n));
                c = FILE(me, n) - 1;
                assert(user_of[c] == 0);
                user_of[c] = me + 1
            :: else
            fi
        }
        if
        :: c != NOBODY || seen < TAKEN -> break
        :: else
        fi;
#ifdef DROP_HELD
        break;
#endif
        settle();
        if
        :: !has_desk -> break
        :: else
        fi
    od
}

inline rest(n, state) {
    d_step { AT(row, n) = state; user_of[c] = 0 }
}

inline answer(n) {
    assert(FILE(me, n) == c + 1 && user_of[c] == me + 1);
    answered[c]++;
    assert(answered[c] <= asked[c]);
    if
    :: asked[c] < REQUESTS -> asked[c]++; is_unread[c] = true
    :: else
    fi
}

/* Its owner ends it. */
inline end_one(n) {
    d_step { is_lawful[c] = true; is_ended[c] = true; AT(row, n) = NONE }
    d_step {
        user_of[c] = 0;
        if
        :: is_twinned[me] -> is_closed[c] = true /* by shutdown(2) */
        :: else
        fi;
        FILE(me, n) = 0;
        see_ends()
    }
}

inline accept_one() {
    d_step {
        !has_come[CONNS - 1] && !(FILE(me, 0) && FILE(me, 1)) ->
        c = 0;
        do
        :: c < CONNS && has_come[c] -> c++
        :: else -> break
        od;
        n = (FILE(me, 0) -> 1 : 0);
        FILE(me, n) = c + 1;
        has_come[c] = true;
        asked[c] = 1;
        is_unread[c] = true;
        user_of[c] = me + 1;
        AT(row, n) = BUSY
    }
    rest(n, REST)
}

inline serve(n) {
    claim(n);
    if
    :: c == NOBODY
    :: else ->
        if
        :: d_step { is_unread[c] = false; answer(n) } rest(n, REST)
        :: d_step {
               held_count[row] < NUMBERS && me < WORKERS - 1 -> is_unread[c] = false;
               held_number[row * NUMBERS + held_count[row]] = n;
               held_conn[row * NUMBERS + held_count[row]] = c;
               held_count[row]++;
               unsent = unsent | (1 << n)
           }
           rest(n, HELD)
        :: end_one(n)
        fi
    fi;
    d_step { c = 0; seen = 0 }
}

/* While its answer is held back, to make room. */
inline expire(n) {
    claim(n);
    if
    :: c != NOBODY -> unsent = unsent & ~(1 << n); end_one(n)
    :: else
    fi;
    d_step { c = 0; seen = 0 }
}

/* What is held leaves. Where one is the successor's, what lies on the desk stays for it to read. */
inline flush() {
    n = 0;
    do
    :: n < NUMBERS ->
        if
        :: unsent & (1 << n) ->
            claim(n);
            if
            :: c != NOBODY ->
                unsent = unsent & ~(1 << n);
                d_step { answer(n) }
                rest(n, REST)
            :: else -> unsent = unsent & ~(1 << n); is_whole = false
            fi
        :: else
        fi;
        n++
    :: d_step {
           n == NUMBERS ->
           if
#ifdef RELEASE_AGAIN
           :: is_whole -> held_count[row] = 0
           :: else -> is_whole = true
#else
           :: is_whole -> held_count[row] = 0
           :: else
#endif
           fi;
           n = 0; c = 0; seen = 0
       }
       break
    od
}

/* The tenure is PASSED: closes its copies of what is taken. */
inline forget_taken() {
    n = 0;
    do
    :: d_step {
            n < NUMBERS ->
            if
            :: FILE(me, n) && AT(row, n) >= TAKEN ->
                c = FILE(me, n) - 1;
                FILE(me, n) = 0;
                unsent = unsent & ~(1 << n);
                see_ends();
                assert(IS_OPEN(c) || is_lawful[c] || !others_live(me))
            :: else
            fi;
            n++
        }
    :: d_step { n == NUMBERS -> n = 0; c = 0 } break
    od
}

/* What rests goes to others. */
inline give_away() {
    n = 0;
    do
    :: n < NUMBERS && has_desk ->
        claim(n);
        if
        :: c != NOBODY ->
            d_step {
                is_given[c] = true;
                user_of[c] = 0;
                FILE(me, n) = 0;
                AT(row, n) = NONE
            }
        :: else
        fi;
        n++
    :: d_step { else -> n = 0; c = 0; seen = 0 } break
    od
}

/* What it still has, nobody else knows: that is served, and passed on or closed. */
inline leave() {
    do
    :: FILE(me, 0) || FILE(me, 1) ->
        d_step {
            n = (FILE(me, 0) -> 0 : 1);
            c = FILE(me, n) - 1;
            assert(user_of[c] == 0);
            user_of[c] = me + 1
        }
        if
        :: d_step { is_unread[c] -> is_unread[c] = false; answer(n); user_of[c] = 0 }
        :: else -> end_one(n)
        fi
    :: else -> break
    od
}

/* Of numbers that the dead had, what was not at rest; of its table's copy, what was not taken. */
inline sweep() {
    n = 0;
    do
    :: d_step {
            n < NUMBERS ->
            if
            :: FILE(me, n) && AT(from, n) < TAKEN ->
                c = FILE(me, n) - 1;
                FILE(me, n) = 0;
                see_ends();
                assert(IS_OPEN(c) || is_lawful[c])
            :: else
            fi;
            n++
        }
    :: d_step { n == NUMBERS -> n = 0; c = 0 } break
    od
}

/* The request of a connection that was taken while its answer was held back. */
inline find_held(n) {
#ifdef HELD_FIRST
    x = 1;
    do
    :: x < held_count[from] && held_number[from * NUMBERS + x - 1] != n -> x++
    :: else -> break
    od;
#else
    x = held_count[from];
    do
    :: x > 0 && held_number[from * NUMBERS + x - 1] != n -> x--
    :: else -> break
    od;
#endif
    assert(x > 0 && held_conn[from * NUMBERS + x - 1] == c);
    x = 0
}

inline adopt() {
    n = 0;
    do
    :: n < NUMBERS ->
        if
        :: d_step {
                AT(from, n) >= TAKEN ->
                assert(FILE(me, n));
                c = FILE(me, n) - 1;
                assert(user_of[c] == 0);
                user_of[c] = me + 1;
                AT(row, n) = BUSY
            }
            if
            :: d_step { AT(from, n) == TAKEN + HELD -> find_held(n); answer(n) }
            :: else
            fi;
            rest(n, REST)
        :: else
        fi;
        n++
    :: d_step { n == NUMBERS -> n = 0; c = 0 } break
    od
}

#define HAS_EVENT(n) (FILE(me, n) && AT(row, n) != NONE && is_unread[FILE(me, n) - 1])

proctype Worker(byte me; byte row; byte from; byte word) provided (!is_struck[me]) {
    byte n, c, seen, x;
    byte unsent; /* numbers, a bit each, whose answer is held back */
    bool is_whole = true;
    bool has_desk = true; /* false: the tenure is known to be PASSED */

        if
        :: from == NOBODY
        :: else ->
#ifndef TOLD_BY_STANDBY
            has_told[me] = true;
#endif
            d_step {
                if
                :: tenure[from] == word -> tenure[from] = ROUND(word) | PASSED
                :: else -> has_desk = false
                fi
            }
            if
            :: !has_desk -> goto gone
            :: else
            fi;
            sweep();
            adopt()
        fi;
        is_ready[me] = true;
end_idle:
        do
        :: HAS_EVENT(0) -> serve(0)
        :: HAS_EVENT(1) -> serve(1)
        :: accept_one()
        :: unsent & 1 && AT(row, 0) == HELD -> expire(0)
        :: unsent & 2 && AT(row, 1) == HELD -> expire(1)
        :: unsent -> flush()
        :: STATE(tenure[row]) != OWN ->
            flush();
            settle();
            if
            :: has_desk
            :: else -> forget_taken(); break
            fi
#ifdef LEAVES
        :: is_told[me] ->
            flush();
            give_away();
            if
            :: has_desk -> has_given[me] = true
            :: else -> forget_taken()
            fi;
            break
#endif
        od;
        leave();
gone:   skip
    d_step { end_process(me) }
}

/* ---- the standby ---------------------------------------------------------------------------- */

inline take() {
    n = 0;
    do
    :: d_step {
            n < NUMBERS ->
            if
            :: AT(from, n) == REST || AT(from, n) == HELD -> AT(from, n) = AT(from, n) + TAKEN
            :: else
            fi;
            n++
        }
    :: d_step { n == NUMBERS -> n = 0 } break
    od
}

inline part() {
    d_step {
        x = (users[1] == 0 && made < 1 -> 1 : 2);
        made = x;
        tables[x * NUMBERS] = tables[table_of[STANDBY] * NUMBERS];
        tables[x * NUMBERS + 1] = tables[table_of[STANDBY] * NUMBERS + 1];
        users[table_of[STANDBY]] = users[table_of[STANDBY]] & ~(1 << STANDBY);
        users[x] = 1 << STANDBY;
        table_of[STANDBY] = x;
        is_parted = true;
        see_ends()
    }
}

inline give_back() {
    d_step {
        if
        :: tenure[from] == word -> tenure[from] = ROUND(word) | RETURNED
        :: else
        fi
    }
}

inline fork() {
    atomic {
        run Worker(new, row, from, word);
        table_of[new] = table_of[STANDBY];
        users[table_of[new]] = users[table_of[new]] | (1 << new);
        is_twinned[new] = is_hung || was_hung;
        was_hung = is_twinned[new];
        row_of[new] = row;
        is_alive[new] = true
    }
}

proctype Standby() provided (!is_struck[STANDBY]) {
    byte n, x, from, row, new, word, made, failures;
    bool is_hung, was_hung, is_parted;

end_asleep:
        do
        :: atomic {
               has_order -> has_order = false;
               from = order_from; row = order_row; new = order_new; is_hung = order_is_hung
           }
           d_step {
               if
               :: STATE(tenure[from]) == OWN || (!is_hung && STATE(tenure[from]) == RETURNED) ->
                   word = ROUND(tenure[from]) | PASSING;
                   tenure[from] = word
               :: else -> word = NOBODY
               fi
           }
           if
           :: word == NOBODY -> has_failed = true; goto next
           :: else
           fi;
#ifdef TAKE_LATE
           if
           :: is_hung -> part()
           :: else
           fi;
           take();
#else
           take();
           if
           :: is_hung -> part()
           :: is_hung && failures < FAILURES -> failures++; give_back(); has_failed = true; goto next
           :: else
           fi;
#endif
           if
           :: fork()
#ifdef TOLD_BY_STANDBY
               ; has_told[new] = true
#endif
           :: failures < FAILURES ->
               failures++;
               give_back();
               has_failed = true;
#ifndef STALE_STANDBY
               if
               :: is_parted -> break
               :: else
               fi
#endif
           fi;
next:      skip;
           d_step { from = 0; row = 0; new = 0; word = 0; is_hung = false; is_parted = false }
        od
    skip;
    d_step { end_process(STANDBY) }
}

/* ---- the master ----------------------------------------------------------------------------- */

#define SUPERSEDED (old != NOBODY)

/* Makes the entry of the next worker, and tells the standby. */
inline order(hung) {
    d_step {
        x = 0;
        do
        :: is_reserved[x] -> x++
        :: else -> break
        od;
        assert(x < ROWS);
        is_reserved[x] = true;
        desk_clear(x);
        order_from = row_of[cur];
        order_row = x;
        order_new = new;
        order_is_hung = hung;
        is_told[new] = is_leaving;
        has_order = true;
        is_waiting = true;
        x = 0
    }
}

/* Nothing will come of it. */
inline drop() {
    d_step { is_reserved[order_row] = false; has_failed = false; has_order = false; is_waiting = false }
}

inline end_standby() {
    if
    :: is_alive[STANDBY] -> d_step { end_process(STANDBY) }
    :: else
    fi
}

/* The standby is gone, or the successor: if it has not passed on the tenure, W has it again. */
inline give_up() {
#ifdef GIVE_UP_BY_STORE
    x = tenure[row_of[cur]];
    if
    :: STATE(x) == PASSING -> tenure[row_of[cur]] = ROUND(x) | RETURNED; x = RETURNED
    :: else -> x = STATE(x)
    fi
#else
    d_step {
        x = STATE(tenure[row_of[cur]]);
        if
        :: x == PASSING ->
            x = RETURNED;
            tenure[row_of[cur]] = ROUND(tenure[row_of[cur]]) | RETURNED
        :: else
        fi
    }
#endif
}

inline await() {
    do
    :: is_ready[new] ->
        d_step {
            if
            :: order_is_hung -> old = cur
            :: else -> is_reserved[row_of[cur]] = false
            fi;
            cur = new;
            new++;
            is_waiting = false
        }
        break
    :: has_failed ->
        drop();
        if
        :: is_dead[cur] -> end_standby(); is_over = true
        :: else
        fi;
        break
#ifdef GIVE_UP_UNREAPED
    :: !is_ready[new] && !is_dead[new] && !is_passed ->
#else
    :: is_dead[STANDBY] && !is_ready[new] && !is_dead[new] && !is_passed ->
#endif
        give_up();
        if
        :: x == PASSED -> assert(has_told[new]); is_passed = true
        :: else -> drop(); is_over = is_dead[cur]; x = 0; break
        fi;
        x = 0
    :: is_dead[new] ->
        end_standby();
#ifndef SUCCESSOR_FORGOTTEN
        give_up();
#endif
        if
        :: order_is_hung && x == PASSED -> old = cur
        :: else
        fi;
        is_over = true;
        x = 0;
        drop();
        break
    :: d_step { is_stopped[STANDBY] && !has_told[new] -> end_process(STANDBY) }
    :: d_step { is_stopped[new] -> end_process(new) }
    od
}

/* Another slot's worker has the row from now on, and its standby begins to take. */
inline use_elsewhere(row) {
    d_step {
        is_reserved[row] = true;
        desk_clear(row);
        tenure[row] = tenure[row] | PASSING;
        elsewhere = row
    }
}

proctype Master() {
    byte cur, new = 1, x, hangs;
    byte old = NOBODY; /* superseded, and not reaped yet */
    bool is_over, is_passed, is_leaving;

end_idle:
    do
#ifdef LEAVES
    :: !is_leaving && !is_over && is_alive[cur] ->
        d_step { is_leaving = true; is_told[cur] = true }
#ifdef DISMISSED_EARLY
        end_standby();
        is_over = true
#endif
    :: has_given[cur] && !is_over -> end_standby(); is_over = true
#endif
    :: is_dead[cur] && !is_over && !has_given[cur] ->
#ifdef ROW_FREED_EARLY
        is_reserved[row_of[cur]] = false;
#endif
        if
        :: is_alive[STANDBY] && !is_stopped[STANDBY] && new < WORKERS -> order(false); await()
        :: else -> is_over = true; end_standby()
        fi
    :: (hangs < HANGS || is_stopped[cur]) && is_alive[cur] && !is_over && !SUPERSEDED &&
       is_alive[STANDBY] && !is_stopped[STANDBY] && new < WORKERS ->
        hangs = hangs + !is_stopped[cur];
        order(true);
        await()
    :: SUPERSEDED && is_dead[old] ->
        d_step {
            is_reserved[row_of[old]] = false;
            is_twinned[cur] = false;
            old = NOBODY
        }
    :: is_over && is_dead[cur] && is_reserved[row_of[cur]] -> is_reserved[row_of[cur]] = false
#ifdef ELSEWHERE
    :: elsewhere == NOBODY && !is_reserved[0] -> use_elsewhere(0)
#endif
    :: d_step { is_late && is_stopped[0] -> end_process(0) }
    :: d_step { is_late && is_stopped[1] -> end_process(1) }
    :: d_step { is_late && is_stopped[WORKERS - 1] -> end_process(WORKERS - 1) }
    :: d_step { is_late && is_stopped[STANDBY] -> end_process(STANDBY) }
    od
}

/* ---- the world ------------------------------------------------------------------------------ */

inline harm(i) {
    if
    :: d_step { is_alive[i] && kills < KILLS -> kills++; end_process(i) }
    :: d_step { is_alive[i] && !is_stopped[i] && stops < STOPS -> is_stopped[i] = true; is_struck[i] = true; stops++ }
    fi
}

proctype Trouble() {
    byte kills, stops, x;
    do
    :: harm(0)
    :: harm(1)
#if WORKERS > 2
    :: harm(2)
#endif
    :: harm(STANDBY)
    od
}

/* In the hands of a process that is stopped. */
#define STUCK_IN(i, c) (is_alive[i] && is_stopped[i] && (user_of[c] == (i) + 1 || STUCK_AT(i, 0, c) || STUCK_AT(i, 1, c)))
#define STUCK_AT(i, n, c) \
    (FILE(i, n) == (c) + 1 && \
     !(AT(row_of[i], n) >= TAKEN && STATE(tenure[row_of[i]]) == PASSED && others_live(i)))
#ifdef LONE
#undef STUCK_AT
#define STUCK_AT(i, n, c) false /* it was taken */
#endif
#define IS_STUCK(c) (STUCK_IN(0, c) || STUCK_IN(1, c) || STUCK_IN(WORKERS - 1, c))

proctype Judge() {
    byte x;
    timeout;
    x = 0;
    do
    :: x < CONNS ->
        assert(!has_come[x] || is_closed[x] || is_given[x] || asked[x] == answered[x] || IS_STUCK(x));
        x++
    :: else -> break
    od;
    is_late = true;
    timeout;
    x = 0;
    do
    :: x < CONNS ->
        assert(!has_come[x] || is_closed[x] || is_given[x] || asked[x] == answered[x]);
        assert(!is_ended[x] || is_closed[x]);
        x++
    :: else -> break
    od;
    assert(!is_waiting);
    x = 0;
    do
    :: x < WORKERS -> assert(!is_alive[x] || STATE(tenure[row_of[x]]) != PASSING); x++
    :: else -> break
    od;
    assert(elsewhere == NOBODY || STATE(tenure[elsewhere]) == PASSING)
}

init {
    atomic {
        is_alive[0] = true;
        is_alive[STANDBY] = true;
        is_reserved[0] = true;
        users[0] = 1 | (1 << STANDBY);
        run Worker(0, 0, NOBODY, 0);
        run Standby();
        run Master();
        run Trouble();
        run Judge()
    }
}
