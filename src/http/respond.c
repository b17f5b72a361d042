#include "http/respond.h"

#include "http/date.h"

struct status {
    int code;
    const char *reason;
    const char *sentence; /* for a person */
};

static const struct status statuses[] = {
    {100, "Continue", ""},
    {101, "Switching Protocols", ""},
    {200, "OK", "Here it is."},
    {201, "Created", "It is there now."},
    {202, "Accepted", "It will be done."},
    {204, "No Content", ""},
    {206, "Partial Content", ""},
    {301, "Moved Permanently", "This has moved for good."},
    {302, "Found", "This is elsewhere for now."},
    {303, "See Other", "The answer is elsewhere."},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", "This is elsewhere for now."},
    {308, "Permanent Redirect", "This has moved for good."},
    {400, "Bad Request", "The request is not well-formed HTTP."},
    {401, "Unauthorized", "This needs a proof of who asks."},
    {403, "Forbidden", "The server may not, or will not, show this."},
    {404, "Not Found", "There is nothing here."},
    {405, "Method Not Allowed", "This cannot be asked for in that way."},
    {406, "Not Acceptable", "There is nothing of the kind that was asked for."},
    {408, "Request Timeout", "The request took too long to arrive."},
    {409, "Conflict", "The request does not fit what is there."},
    {410, "Gone", "There is nothing here any more."},
    {411, "Length Required", "The request must say how long it is."},
    {412, "Precondition Failed", "What the request took for granted does not hold."},
    {413, "Content Too Large", "The request's body is longer than the server takes."},
    {414, "URI Too Long", "The address is longer than the server takes."},
    {415, "Unsupported Media Type", "The server does not take this kind of body."},
    {416, "Range Not Satisfiable", "There are no such bytes."},
    {417, "Expectation Failed", "The server cannot do what the request expects."},
    {422, "Unprocessable Content", "The request is well-formed, but makes no sense here."},
    {426, "Upgrade Required", "This needs another protocol."},
    {429, "Too Many Requests", "Please ask less often."},
    {431, "Request Header Fields Too Large", "The request's head is larger than the server takes."},
    {500, "Internal Server Error", "Something went wrong in the server."},
    {501, "Not Implemented", "The server does not know how to do this."},
    {502, "Bad Gateway", "A server behind this one gave no good answer."},
    {503, "Service Unavailable", "The server has too much to do; please try again."},
    {504, "Gateway Timeout", "A server behind this one took too long."},
    {505, "HTTP Version Not Supported", "The server speaks HTTP/1.0 and HTTP/1.1."},
};

static const struct status *find(int code)
{
    static const struct status unknown = {0, "Unknown", ""};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].code == code)
            return &statuses[i];
    return &unknown;
}

const char *http_reason(int status)
{
    return find(status)->reason;
}

bool http_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void status_line(struct buf *out, int status)
{
    if (status == 200) { /* most of them */
        buf_lit(out, "HTTP/1.1 200 OK\r\n");
        return;
    }
    buf_lit(out, "HTTP/1.1 ");
    buf_u64(out, (uint64_t)status);
    buf_lit(out, " ");
    buf_str(out, http_reason(status));
    buf_lit(out, "\r\n");
}

void http_respond_start(struct buf *out, int status, const char *date)
{
    status_line(out, status);
    buf_lit(out, "Server: drover\r\nDate: ");
    buf_str(out, date);
    buf_lit(out, "\r\n");
}

/* Upgrade is for the next hop alone, so it is named there (RFC 9110, 7.8). */
void http_respond_connection(struct buf *out, const struct http_head *head)
{
    static const char *const words[] = {
        [HTTP_KEEP_SILENT] = "", [HTTP_KEEP_SAID] = "keep-alive", [HTTP_CLOSE] = "close"};
    const char *word = words[head->persistence];
    if (!*word && !head->has_upgrade)
        return;
    buf_lit(out, "Connection: ");
    buf_str(out, word);
    if (head->has_upgrade)
        buf_str(out, *word ? ", Upgrade" : "Upgrade");
    buf_lit(out, "\r\n");
}

void http_respond_rest(struct buf *out, const struct http_head *head)
{
    if (head->type.n > 0) {
        buf_lit(out, "Content-Type: ");
        buf_span(out, head->type);
        buf_lit(out, "\r\n");
    }
    if (head->has_length) {
        buf_lit(out, "Content-Length: ");
        buf_u64(out, head->length);
        buf_lit(out, "\r\n");
    }
    if (head->is_chunked)
        buf_lit(out, "Transfer-Encoding: chunked\r\n");
    buf_span(out, head->fields);
    buf_lit(out, "\r\n");
}

void http_respond_head(struct buf *out, const struct http_head *head)
{
    http_respond_start(out, head->status, head->date);
    http_respond_connection(out, head);
    http_respond_rest(out, head);
}

void http_respond_validators(struct buf *out, struct span etag, bool has_modified, time_t modified)
{
    if (etag.n > 0) {
        buf_lit(out, "ETag: ");
        buf_span(out, etag);
        buf_lit(out, "\r\n");
    }
    if (has_modified) {
        char date[HTTP_DATE_LENGTH + 1];
        http_date_format(date, modified);
        buf_lit(out, "Last-Modified: ");
        buf_str(out, date);
        buf_lit(out, "\r\n");
    }
}

static void status_and_reason(struct buf *out, int status, const char *reason)
{
    buf_u64(out, (uint64_t)status);
    buf_lit(out, " ");
    buf_str(out, reason);
}

void http_page(struct buf *out, int status)
{
    const struct status *s = find(status);
    buf_lit(out, "<!DOCTYPE html>\n"
                 "<html lang=\"en\">\n"
                 "<meta charset=\"utf-8\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width\">\n"
                 "<title>");
    status_and_reason(out, status, s->reason);
    buf_lit(out, "</title>\n"
                 "<style>:root{color-scheme:light dark}"
                 "body{font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem;"
                 "padding:0 1rem}</style>\n"
                 "<h1>");
    status_and_reason(out, status, s->reason);
    buf_lit(out, "</h1>\n<p>");
    buf_str(out, s->sentence);
    buf_lit(out, "</p>\n</html>\n");
}
